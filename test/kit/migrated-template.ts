import { Observer } from '../../src/common/observability/index.js';
import { DatabaseSockets } from '../../src/common/database/database-sockets.js';
import { systemDataSourceOptions } from '../../src/common/database/index.js';
import { openSystemDataSource } from '../../src/common/database/system-data-source.js';
import { JobQueue } from '../../src/jobs/job-queue.js';
import { migrations } from '../../src/migrations.js';
import { createTemplate } from './database.js';

let made: Promise<string> | undefined;

/**
 * The name of a database with Plinth's own tables and nothing in them, made once by this process with the migrations
 * that the server runs. A server that starts on a clone of it finds them all done, which is sooner than doing them.
 */
export function migratedTemplate(): Promise<string> {
  made ??= createTemplate(async (url) => {
    const source = await openSystemDataSource(systemDataSourceOptions(url, migrations));
    await source.destroy();
    const endpoint = {
      url,
      isEmbedded: false,
      sockets: new DatabaseSockets(),
      stop: () => Promise.resolve(),
    };
    await new JobQueue(endpoint, new Observer()).onModuleInit();
  });
  return made;
}
