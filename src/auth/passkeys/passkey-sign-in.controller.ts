import { Body, Controller, Header, HttpCode, Post, Req, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, ApiProblems, CrossSiteCheck, NoParameters } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { sendSignedIn } from '../sign-in/send-signed-in.js';
import { SignedInDto } from '../sign-in/sign-in.dto.js';
import { PasskeySignIn } from './passkey-sign-in.service.js';
import { PasskeyRequestDto, PasskeySignInDto, PasskeySignInOptionsDto } from './passkey.dto.js';

/** The way in with a passkey. */
@ApiTags('auth')
@ApiProblems('invalid-request', 'forbidden')
@Access('public', { credentials: 'ignored' })
@Controller({ path: 'auth/passkeys/sign-in', version: VERSION_NEUTRAL })
export class PasskeySignInController {
  constructor(
    private readonly signIns: PasskeySignIn,
    private readonly crossSite: CrossSiteCheck,
  ) {}

  @Post('options')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Ask for a passkey to sign in with' })
  @ApiResponse({
    status: 200,
    type: PasskeyRequestDto,
    description: 'What `navigator.credentials.get()` takes as `publicKey`.',
  })
  options(
    @NoParameters() _none: unknown,
    @Body() body: PasskeySignInOptionsDto,
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return this.signIns.options(body);
  }

  @Post('verify')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Sign in with a passkey',
    description: 'It counts as two factors, so no second one is asked for.',
  })
  @ApiResponse({
    status: 200,
    type: SignedInDto,
    description: 'Signed in. With `"session": "cookie"`, the cookie is set and there are no tokens.',
  })
  async verify(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Body() body: PasskeySignInDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedInDto> {
    const signedIn = await this.signIns.signIn(body, this.crossSite.isOwn(request), client);
    return sendSignedIn(signedIn, request, reply);
  }
}
