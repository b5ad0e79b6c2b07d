import 'reflect-metadata';
import { run } from './cli.js';

await run(['start']);
