import {
  Body,
  Controller,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  Access,
  ApiProblems,
  CrossSiteCheck,
  NoParameters,
  setSessionCookie,
} from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import type { SecondFactorStepDto } from '../second-factor/second-factor.dto.js';
import { ApiSignedIn } from '../sign-in/api-signed-in.decorator.js';
import { refuseForeignCookie } from '../sign-in/refuse-foreign-cookie.js';
import { sendSignedIn } from '../sign-in/send-signed-in.js';
import type { SignedInDto } from '../sign-in/sign-in.dto.js';
import { newFlowSecret, readFlowCookie, setFlowCookie } from './flow-cookie.js';
import { ExchangeCodeDto, ProviderListDto, StartFlowQuery } from './provider-flow.dto.js';
import { ProviderFlow } from './provider-flow.service.js';
import { Providers } from './providers.service.js';

const REDIRECTED = { Location: { schema: { type: 'string' as const, format: 'uri' } } };

/** Sign-in with OpenID Connect and OAuth 2. A credential that comes along is not looked at, as at the other ways in. */
@ApiTags('auth')
@Access('public', { credentials: 'ignored' })
@Controller({ path: 'auth', version: VERSION_NEUTRAL })
export class ProvidersController {
  constructor(
    private readonly providers: Providers,
    private readonly flow: ProviderFlow,
    private readonly crossSite: CrossSiteCheck,
  ) {}

  @Get('providers')
  @ApiOperation({ summary: 'List the providers that people may sign in with' })
  @ApiResponse({ status: 200, type: ProviderListDto, description: 'The providers, as they are configured.' })
  list(@NoParameters() _none: unknown): ProviderListDto {
    return { data: this.providers.list().map(({ name, label }) => ({ name, label })) };
  }

  @Get('oidc/:provider')
  @HttpCode(302)
  @ApiOperation({
    summary: 'Go to a provider to sign in',
    description: 'For a browser to open. It comes back to `returnTo`, with `code` or `error` in the address.',
  })
  @ApiResponse({ status: 302, description: 'On to the provider.', headers: REDIRECTED })
  @ApiProblems('not-found')
  async start(
    @Param('provider') provider: string,
    @Query() query: StartFlowQuery,
    @FromClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    // The same for all tabs of a browser, so that none of them makes another one fail.
    const browser = readFlowCookie(request) ?? newFlowSecret();
    const location = await this.flow.start(provider, query, browser, client);
    setFlowCookie(request, reply, browser);
    void reply.header('cache-control', 'no-store').header('location', location);
  }

  @Get('oidc/:provider/callback')
  @HttpCode(302)
  @ApiOperation({
    summary: 'Come back from a provider',
    description:
      'Where providers lead browsers back to. `error` in the return address is one of `access_denied`, `provider_unavailable`, `provider_refused`, `sign_up_closed`, `account_inactive`.',
  })
  @ApiQuery({ name: 'state', required: false, schema: { type: 'string' } })
  @ApiQuery({ name: 'code', required: false, schema: { type: 'string' } })
  @ApiQuery({ name: 'iss', required: false, schema: { type: 'string' } })
  @ApiQuery({ name: 'error', required: false, schema: { type: 'string' } })
  @ApiResponse({ status: 302, description: 'On to the return address.', headers: REDIRECTED })
  @ApiProblems('forbidden', 'not-found')
  async finish(
    @Param('provider') provider: string,
    @FromClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    // Providers add parameters of their own.
    const search = new URLSearchParams(request.url.split('?').slice(1).join('?'));
    const { location, cookie } = await this.flow.finish(provider, search, readFlowCookie(request), client);
    if (cookie !== null) setSessionCookie(request, reply, cookie.value, cookie.maxAgeSeconds);
    void reply.header('cache-control', 'no-store').header('location', location);
  }

  @Post('oidc/token')
  @HttpCode(200)
  @ApiOperation({ summary: 'Get a session for the code of a return address' })
  @ApiSignedIn()
  @ApiProblems('invalid-request', 'forbidden')
  async exchange(
    @NoParameters() _none: unknown,
    @Body() { session = 'token', ...proof }: ExchangeCodeDto,
    @FromClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedInDto | SecondFactorStepDto> {
    refuseForeignCookie({ session }, this.crossSite.isOwn(request));
    const browser = readFlowCookie(request);
    return sendSignedIn(await this.flow.exchange({ ...proof, browser }, session, client), request, reply);
  }
}
