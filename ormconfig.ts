import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { systemDataSourceOptions } from './src/common/database/index.js';
import { migrations } from './src/migrations.js';

/** For the TypeORM command line: `DATABASE_URL=... npx typeorm -d dist/ormconfig.js migration:show`. */
export default new DataSource(
  systemDataSourceOptions(process.env['DATABASE_URL'] ?? 'postgres://localhost:5432/plinth', migrations),
);
