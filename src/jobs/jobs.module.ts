import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AccessModule } from '../access/index.js';
import { ExpiredJobs } from './expired-jobs.job.js';
import { JobManagement } from './job-management.service.js';
import { JobPayloads } from './job-payloads.js';
import { JobQueue } from './job-queue.js';
import { JobRegistry } from './job-registry.js';
import { JobWorker } from './job-worker.service.js';
import { JobsController } from './jobs.controller.js';
import { Jobs } from './jobs.service.js';

/** Durable background jobs, in the database. Global, so that a host application enqueues its own. */
@Global()
@Module({
  imports: [AccessModule, DiscoveryModule],
  controllers: [JobsController],
  providers: [ExpiredJobs, JobManagement, JobPayloads, JobQueue, JobRegistry, Jobs, JobWorker],
  exports: [Jobs],
})
export class JobsModule {}
