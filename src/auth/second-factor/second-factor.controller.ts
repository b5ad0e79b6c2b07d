import { Body, Controller, Header, HttpCode, Post, Req, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, ApiProblems, CrossSiteCheck, NoParameters } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { PasskeyRequestDto } from '../passkeys/passkey.dto.js';
import { sendSignedIn } from '../sign-in/send-signed-in.js';
import { SignedInDto } from '../sign-in/sign-in.dto.js';
import { SecondFactorSignIn } from './second-factor-sign-in.service.js';
import { SecondFactorDto, TicketDto } from './second-factor.dto.js';

/** The second step of a sign-in, for those who have a ticket of the first. */
@ApiTags('auth')
@ApiProblems('invalid-request')
@Access('public', { credentials: 'ignored' })
@Controller({ path: 'auth/second-factor', version: VERSION_NEUTRAL })
export class SecondFactorController {
  constructor(
    private readonly signIns: SecondFactorSignIn,
    private readonly crossSite: CrossSiteCheck,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Finish a sign-in with a second factor',
    description:
      'With a code of the authenticator app, a recovery code, or an assertion of a passkey. A ticket survives a few wrong answers.',
  })
  @ApiResponse({
    status: 200,
    type: SignedInDto,
    description: 'Signed in, with tokens or a cookie, as the first step has asked for.',
  })
  @ApiProblems('forbidden')
  async finish(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Body() body: SecondFactorDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedInDto> {
    const signedIn = await this.signIns.finish(body, this.crossSite.isOwn(request), client);
    return sendSignedIn(signedIn, request, reply);
  }

  @Post('passkey/options')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Ask for a passkey as the second factor' })
  @ApiResponse({
    status: 200,
    type: PasskeyRequestDto,
    description: 'What `navigator.credentials.get()` takes as `publicKey`.',
  })
  passkeyOptions(
    @NoParameters() _none: unknown,
    @Body() { ticket }: TicketDto,
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return this.signIns.passkeyOptions(ticket);
  }
}
