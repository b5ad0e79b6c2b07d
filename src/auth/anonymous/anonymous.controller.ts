import { Body, Controller, HttpCode, Post, Req, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentActor, type Actor } from '../../common/context/index.js';
import { Access, ApiProblems, CrossSiteCheck, NoParameters } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { refuseForeignCookie } from '../sign-in/refuse-foreign-cookie.js';
import { sendSignedIn } from '../sign-in/send-signed-in.js';
import { SignedInDto } from '../sign-in/sign-in.dto.js';
import { BeginAnonymousDto, UpgradeDto } from './anonymous.dto.js';
import { AnonymousUsers } from './anonymous.service.js';

/** The way in without an account, and the way to one. */
@ApiTags('auth')
@ApiProblems('invalid-request', 'forbidden')
@Controller({ path: 'auth', version: VERSION_NEUTRAL })
export class AnonymousController {
  constructor(
    private readonly anonymous: AnonymousUsers,
    private readonly crossSite: CrossSiteCheck,
  ) {}

  @Post('anonymous')
  @HttpCode(200)
  @Access('public', { credentials: 'ignored' })
  @ApiOperation({
    summary: 'Begin without an account',
    description: 'Makes a user with the role `anonymous`, who has nothing but this session until an upgrade.',
  })
  @ApiResponse({
    status: 200,
    type: SignedInDto,
    description: 'Signed in. With `"session": "cookie"`, the cookie is set and there are no tokens.',
  })
  async begin(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Body() { session = 'token' }: BeginAnonymousDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedInDto> {
    refuseForeignCookie({ session }, this.crossSite.isOwn(request));
    return sendSignedIn(await this.anonymous.begin(session, client), request, reply);
  }

  @Post('upgrade')
  @HttpCode(202)
  @Access('authenticated')
  @ApiOperation({
    summary: 'Make an account of an anonymous user',
    description:
      'Id, records and sessions stay. As at a sign-up, the answer does not tell whether there was an account with the address.',
  })
  @ApiResponse({ status: 202, description: 'Taken.' })
  @ApiProblems('conflict')
  async upgrade(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Body() body: UpgradeDto,
  ): Promise<void> {
    await this.anonymous.upgrade(actor, body, client);
  }
}
