import { AppModule } from './app.module.js';
import { FirstAdministrator } from './auth/index.js';
import type { PlinthConfig } from './common/config/index.js';
import { Observer } from './common/observability/index.js';
import type { Logger as PinoLogger } from 'pino';
import { startServer } from './server.js';
import { stopOnSignals, tellAddresses } from './serving.js';
import { collectStartGarbage } from './start-garbage.js';

/** Serves with this one process until a signal stops it. */
export async function serveAlone(config: PlinthConfig, logger: PinoLogger): Promise<void> {
  const server = await startServer(AppModule.forRoot({ config, logger }), config, logger);
  const observer = server.app.get(Observer);
  stopOnSignals(server, observer, config);
  tellAddresses(observer, server.url);
  await server.app.get(FirstAdministrator).announce(server.url);
  collectStartGarbage();
}
