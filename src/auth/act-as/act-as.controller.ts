import { Controller, Header, HttpCode, Param, Post, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentActor, type Actor } from '../../common/context/index.js';
import { Access, ApiProblems, NoParameters, RequireRecentAuth } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { ActingDto } from './act-as.dto.js';
import { ActAsService } from './act-as.service.js';

/** Support: administrators as users. */
@ApiTags('users')
@ApiProblems('forbidden')
@Access('admin')
@Controller({ path: 'system/users', version: VERSION_NEUTRAL })
export class ActAsController {
  constructor(private readonly acting: ActAsService) {}

  @Post(':id/act-as')
  @HttpCode(200)
  @RequireRecentAuth()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Act as a user',
    description:
      'For administrators who have signed in within five minutes. The session cannot change passwords, other ways in, addresses or anything under `/system`, and the audit says who acted.',
  })
  @ApiResponse({ status: 200, type: ActingDto, description: 'An access token that speaks for the user.' })
  @ApiProblems('not-found', 'conflict')
  begin(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Param('id') id: string,
  ): Promise<ActingDto> {
    return this.acting.begin(actor, id, client);
  }
}
