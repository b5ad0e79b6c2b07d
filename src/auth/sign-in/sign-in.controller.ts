import { Body, Controller, Header, HttpCode, Post, Req, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, ApiProblems, CrossSiteCheck, NoParameters } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { Languages } from '../mails/languages.decorator.js';
import type { SecondFactorStepDto } from '../second-factor/second-factor.dto.js';
import { ApiSignedIn } from './api-signed-in.decorator.js';
import { refuseForeignCookie } from './refuse-foreign-cookie.js';
import { sendSignedIn } from './send-signed-in.js';
import { RefreshDto, RefreshedDto, SignInDto, SignUpDto, type SignedInDto } from './sign-in.dto.js';
import { SignInService } from './sign-in.service.js';
import { SignUpService } from './sign-up.service.js';

/** The ways in. A credential that comes along is not looked at, so that one that has ended is in nobody's way. */
@ApiTags('auth')
@ApiProblems('invalid-request')
@Access('public', { credentials: 'ignored' })
@Controller({ path: 'auth', version: VERSION_NEUTRAL })
export class SignInController {
  constructor(
    private readonly signUps: SignUpService,
    private readonly signIns: SignInService,
    private readonly crossSite: CrossSiteCheck,
  ) {}

  @Post('sign-up')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Make an account',
    description:
      'The answer does not tell whether there was an account with the address. If there was none, it is there now: sign in. Whoever has the address gets a mail either way.',
  })
  @ApiResponse({ status: 202, description: 'Taken.' })
  @ApiProblems('forbidden')
  async signUp(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Languages() languages: string,
    @Body() body: SignUpDto,
  ): Promise<void> {
    await this.signUps.signUp(body, languages, client);
  }

  @Post('sign-in')
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign in with an e-mail address and a password' })
  @ApiSignedIn()
  @ApiProblems('forbidden')
  async signIn(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Body() body: SignInDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedInDto | SecondFactorStepDto> {
    refuseForeignCookie(body, this.crossSite.isOwn(request));
    return sendSignedIn(await this.signIns.signIn(body, client), request, reply);
  }

  @Post('refresh')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Get new tokens for a refresh token',
    description:
      'A refresh token is good once. Of several requests with the same one, within ten seconds all but the first are answered with 409. Later use means that two have it: the session ends.',
  })
  @ApiResponse({ status: 200, type: RefreshedDto, description: 'The new tokens.' })
  @ApiProblems('conflict')
  refresh(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Body() { refreshToken }: RefreshDto,
  ): Promise<RefreshedDto> {
    return this.signIns.refresh(refreshToken, client);
  }
}
