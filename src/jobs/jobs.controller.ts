import { Controller, Delete, Get, HttpCode, Param, Post, Query, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Access, ApiProblems, NoParameters } from '../common/http/index.js';
import { JobDto, JobPageDto, JobQuery } from './job.dto.js';
import { JobManagement } from './job-management.service.js';

/** The queue of background jobs. */
@ApiTags('jobs')
@ApiProblems('forbidden')
@Access('admin')
@Controller({ path: 'system/jobs', version: VERSION_NEUTRAL })
export class JobsController {
  constructor(private readonly jobs: JobManagement) {}

  @Get()
  @ApiOperation({ summary: 'List the jobs that wait, run or are dead' })
  @ApiResponse({ status: 200, type: JobPageDto, description: 'A page of jobs, newest first.' })
  @ApiProblems('invalid-parameter', 'invalid-cursor')
  list(@Query() query: JobQuery): Promise<JobPageDto> {
    return this.jobs.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a job' })
  @ApiResponse({ status: 200, type: JobDto, description: 'The job.' })
  @ApiProblems('not-found')
  get(@NoParameters() _none: unknown, @Param('id') id: string): Promise<JobDto> {
    return this.jobs.get(id);
  }

  @Post(':id/retry')
  @HttpCode(200)
  @ApiOperation({ summary: 'Run a job now that is dead or waits' })
  @ApiResponse({ status: 200, type: JobDto, description: 'It can be taken, and has all its attempts again.' })
  @ApiProblems('not-found', 'conflict')
  retry(@NoParameters() _none: unknown, @Param('id') id: string): Promise<JobDto> {
    return this.jobs.retry(id);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Cancel a job that does not run' })
  @ApiResponse({ status: 204, description: 'It is gone.' })
  @ApiProblems('not-found', 'conflict')
  cancel(@NoParameters() _none: unknown, @Param('id') id: string): Promise<void> {
    return this.jobs.cancel(id);
  }
}
