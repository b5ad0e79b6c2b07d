import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { CurrentActor, type Actor } from '../../common/context/index.js';
import { Access, ApiProblems, NoParameters, RequireRecentAuth } from '../../common/http/index.js';
import { userOf } from '../account/account.service.js';
import { FromClient, type Client } from '../client.js';
import { FlowCodes } from './flow-codes.service.js';
import { readFlowCookie } from './flow-cookie.js';
import { Identities } from './identities.service.js';
import { IdentityDto, IdentityListDto, toIdentityDto, UseCodeDto } from './provider-flow.dto.js';

/** Who users are at providers. */
@ApiTags('auth')
@ApiProblems('forbidden')
@Access('authenticated')
@Controller({ path: 'auth/identities', version: VERSION_NEUTRAL })
export class IdentitiesController {
  constructor(
    private readonly identities: Identities,
    private readonly codes: FlowCodes,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List the identities at providers that the user who asks signs in with' })
  @ApiResponse({ status: 200, type: IdentityListDto, description: 'The identities, oldest first.' })
  async list(@NoParameters() _none: unknown, @CurrentActor() actor: Actor): Promise<IdentityListDto> {
    return { data: (await this.identities.list(userOf(actor))).map(toIdentityDto) };
  }

  @Post()
  @RequireRecentAuth()
  @ApiOperation({
    summary: 'Link an identity at a provider',
    description:
      'With the code that `GET /auth/oidc/{provider}?intent=link` leads to. An anonymous user has an account then.',
  })
  @ApiResponse({ status: 201, type: IdentityDto, description: 'Linked: it signs in to this account.' })
  @ApiProblems('invalid-request', 'conflict')
  async link(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Body() { code, codeVerifier }: UseCodeDto,
    @Req() request: FastifyRequest,
  ): Promise<IdentityDto> {
    const userId = userOf(actor);
    const { identity } = await this.codes.use('link', {
      code,
      codeVerifier,
      browser: readFlowCookie(request),
    });
    return toIdentityDto(await this.identities.link(userId, identity, client));
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireRecentAuth()
  @ApiOperation({ summary: 'Unlink an identity', description: 'The last way in to an account stays.' })
  @ApiResponse({ status: 204, description: 'It signs in to this account no more.' })
  @ApiProblems('not-found', 'conflict')
  unlink(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Param('id') id: string,
  ): Promise<void> {
    return this.identities.unlink(userOf(actor), id, client);
  }
}
