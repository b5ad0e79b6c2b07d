import { runProcess } from './cli.js';

await runProcess(['start']);
