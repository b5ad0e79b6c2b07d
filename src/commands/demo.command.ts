import { ForeignDatabaseError, startDemoServer } from '../demo/index.js';
import { CommandFailure } from './failure.js';

/** Serves the sample database until a signal stops it. */
export async function startDemo(): Promise<void> {
  try {
    await startDemoServer();
  } catch (error) {
    if (error instanceof ForeignDatabaseError) throw new CommandFailure(error.message, { cause: error });
    throw error;
  }
}
