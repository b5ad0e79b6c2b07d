import { Controller, Delete, Get, HttpCode, Param, Query, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Context, type RequestContext } from '../../common/context/index.js';
import { Access, ApiProblems, NoParameters } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { SessionPageDto, SessionQuery, toSessionDto } from './session.dto.js';
import { SessionsService } from './sessions.service.js';

/** Sessions of all users, as administrators manage them. */
@ApiTags('sessions')
@ApiProblems('forbidden')
@Access('admin')
@Controller({ path: 'system/sessions', version: VERSION_NEUTRAL })
export class SystemSessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @ApiOperation({ summary: 'List sessions' })
  @ApiResponse({ status: 200, type: SessionPageDto, description: 'A page of sessions, newest first.' })
  @ApiProblems('invalid-parameter', 'invalid-cursor')
  async list(@Context() { actor }: RequestContext, @Query() query: SessionQuery): Promise<SessionPageDto> {
    const { data, page } = await this.sessions.list(query);
    return { data: data.map((session) => toSessionDto(session, actor.session?.id)), page };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'End a session' })
  @ApiResponse({ status: 204, description: 'It is over, everywhere within a second.' })
  @ApiProblems('not-found')
  end(@NoParameters() _none: unknown, @FromClient() client: Client, @Param('id') id: string): Promise<void> {
    return this.sessions.end(id, null, client);
  }
}
