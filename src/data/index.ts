import { Idempotency1763900300000 } from './migrations/1763900300000-idempotency.js';
import { WriteFunctions1763900310000 } from './migrations/1763900310000-write-functions.js';

export { DataModule } from './data.module.js';
export const dataMigrations = [Idempotency1763900300000, WriteFunctions1763900310000];
