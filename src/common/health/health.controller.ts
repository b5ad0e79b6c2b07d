import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Database } from '../database/index.js';
import { Access, ApiProblems, NoParameters } from '../http/index.js';

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

/** Answers for probes. Migrations are done before the server listens, so a reachable database means ready. */
@ApiTags('health')
@ApiProblems('unknown-parameter')
@Access('public')
@Controller('health')
export class HealthController {
  constructor(private readonly database: Database) {}

  @Get('live')
  @ApiOperation({ summary: 'Whether the process is alive' })
  @ApiResponse({ status: 200, type: LivenessDto, description: 'The process is alive.' })
  live(@NoParameters() _none: unknown): LivenessDto {
    return { status: 'ok' };
  }

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
    const ping = this.database.execute({ text: 'SELECT 1', values: [] }).then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([ping, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}
