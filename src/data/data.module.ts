import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessModule } from '../access/index.js';
import { CatalogModule } from '../catalog/index.js';
import { SYSTEM_DATA_SOURCE } from '../common/database/index.js';
import { BatchService } from './batch.service.js';
import { CursorCodecService } from './cursor-codec.js';
import { IdempotencyService } from './idempotency.service.js';
import { IdempotentAnswer } from './idempotent-answer.entity.js';
import { Positions } from './positions.service.js';
import { QueryPlans } from './query-plans.js';
import { RecordReader } from './record-reader.service.js';
import { RecordWriter } from './record-writer.service.js';
import { RecordsController } from './records.controller.js';
import { RetryService } from './retry.service.js';

/** The records API. */
@Module({
  imports: [CatalogModule, AccessModule, TypeOrmModule.forFeature([IdempotentAnswer], SYSTEM_DATA_SOURCE)],
  controllers: [RecordsController],
  providers: [
    BatchService,
    CursorCodecService,
    IdempotencyService,
    Positions,
    QueryPlans,
    RecordReader,
    RecordWriter,
    RetryService,
  ],
})
export class DataModule {}
