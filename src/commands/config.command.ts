import { describeConfig, parseConfig } from '../common/config/index.js';

/** Prints `VARIABLE=value` lines, each with what it means. */
export function printConfig(): void {
  for (const { variable, value, description } of describeConfig(parseConfig(process.env))) {
    process.stdout.write(`# ${description}\n${variable}=${value}\n`);
  }
}
