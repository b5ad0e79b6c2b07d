import { startDemoServer } from '../demo/index.js';

/** Serves the sample database until a signal stops it. */
export async function startDemo(): Promise<void> {
  await startDemoServer();
}
