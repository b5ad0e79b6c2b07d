// A host application that starts, closes, and then has nothing left to do: the process has to end by itself.
//   node start-and-close.mjs <the built plinth>
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';

const { createHttpAdapter, createLogger, parseConfig, PlinthModule } = await import(process.argv[2]);
const config = parseConfig(process.env);
const logger = createLogger(config);
class Host {}
const app = await NestFactory.create(
  { module: Host, imports: [PlinthModule.forRoot({ config, logger })] },
  createHttpAdapter(config, logger),
  { logger: ['error'] },
);
await app.listen(0, '127.0.0.1');
const answer = await fetch(`${await app.getUrl()}/health/ready`);
console.log(await answer.text());
await app.close();
