import { Controller, Get, HttpStatus, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { FastifyReply } from 'fastify';
import type { DataSource } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../database/index.js';
import { Access, AlwaysAnswered, ApiProblems, NoParameters } from '../http/index.js';

const READY_TIMEOUT_MS = 2000;

class LivenessDto {
  @ApiProperty({ enum: ['ok'] })
  status: 'ok';
}

class ReadinessDto {
  @ApiProperty({ enum: ['ready', 'unavailable'] })
  status: 'ready' | 'unavailable';

  @ApiProperty({ enum: ['up', 'down'] })
  database: 'up' | 'down';
}

/**
 * Answers for probes, also where clients are refused. Migrations are done before the server listens, so a reachable database means ready. It is asked
 * on the connections for Plinth's own tables: where requests keep all of theirs busy, a server is at work and not down.
 */
@ApiTags('health')
@ApiProblems('unknown-parameter')
@Access('public')
@Controller({ path: 'health', version: VERSION_NEUTRAL })
export class HealthController {
  /** One for all probes at a time: those of a silent database must not pile up. */
  private ping: Promise<boolean> | null = null;

  constructor(@InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource) {}

  @AlwaysAnswered()
  @Get('live')
  @ApiOperation({ summary: 'Whether the process is alive' })
  @ApiResponse({ status: 200, type: LivenessDto, description: 'The process is alive.' })
  live(@NoParameters() _none: unknown): LivenessDto {
    return { status: 'ok' };
  }

  @AlwaysAnswered()
  @Get('ready')
  @ApiOperation({ summary: 'Whether requests can be served' })
  @ApiResponse({ status: 200, type: ReadinessDto, description: 'Requests can be served.' })
  @ApiResponse({ status: 503, type: ReadinessDto, description: 'The database cannot be reached.' })
  async ready(
    @NoParameters() _none: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadinessDto> {
    if (await this.isDatabaseUp()) return { status: 'ready', database: 'up' };
    void reply.status(HttpStatus.SERVICE_UNAVAILABLE).header('retry-after', '1');
    return { status: 'unavailable', database: 'down' };
  }

  private async isDatabaseUp(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, READY_TIMEOUT_MS, false);
    });
    this.ping ??= this.dataSource
      .query('SELECT 1')
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        this.ping = null;
      });
    try {
      return await Promise.race([this.ping, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}
