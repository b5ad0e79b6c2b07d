import { Controller, Get, Query, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Access, ApiProblems } from '../../common/http/index.js';
import { SignInEventPageDto, SignInEventQuery } from './sign-in-event.dto.js';
import { SignInEvents } from './sign-in-events.service.js';

/** The audit of sign-ins. */
@ApiTags('users')
@ApiProblems('forbidden')
@Access('admin')
@Controller({ path: 'system/sign-in-events', version: VERSION_NEUTRAL })
export class SignInEventsController {
  constructor(private readonly events: SignInEvents) {}

  @Get()
  @ApiOperation({ summary: 'List what happened around sign-ins' })
  @ApiResponse({ status: 200, type: SignInEventPageDto, description: 'A page of events, newest first.' })
  @ApiProblems('invalid-parameter', 'invalid-cursor')
  async list(@Query() query: SignInEventQuery): Promise<SignInEventPageDto> {
    const { data, page } = await this.events.list(query);
    return { data: data.map(({ position: _position, ...event }) => event), page };
  }
}
