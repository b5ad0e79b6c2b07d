// Loaded before a server (`node --import`): moves the clock of the process by the milliseconds in the file MOVED_CLOCK,
// read at each SIGUSR2, as if somebody had set the machine's clock. What is monotonic stays.
import { readFileSync } from 'node:fs';

const RealDate = Date;
let offsetMs = 0;
const now = () => RealDate.now() + offsetMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, self) => Reflect.construct(target, given.length === 0 ? [now()] : given, self),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
process.on('SIGUSR2', () => {
  offsetMs = Number(readFileSync(process.env.MOVED_CLOCK, 'utf8'));
  process.stderr.write(`${JSON.stringify({ level: 30, msg: 'The clock was moved', offsetMs })}\n`);
});
