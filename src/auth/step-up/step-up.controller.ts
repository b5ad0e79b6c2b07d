import { Body, Controller, Header, HttpCode, Post, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import { CurrentActor, type Actor } from '../../common/context/index.js';
import { Access, ApiProblems, NoParameters } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { PasskeyRequestDto } from '../passkeys/passkey.dto.js';
import { SteppedUpDto, StepUpDto } from './step-up.dto.js';
import { StepUp } from './step-up.service.js';

/** For signed-in users who do something that needs a recent proof of who they are. */
@ApiTags('auth')
@ApiProblems('forbidden')
@Access('authenticated')
@Controller({ path: 'auth/step-up', version: VERSION_NEUTRAL })
export class StepUpController {
  constructor(private readonly steps: StepUp) {}

  @Post()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Prove again who one is, in the session that asks',
    description:
      'What addresses want that answer with `/problems/reauthentication-required`. A password makes the sign-in a recent one; a code or a passkey makes the second factor so, too.',
  })
  @ApiResponse({
    status: 200,
    type: SteppedUpDto,
    description:
      'Renewed, everywhere within a second. The new access token says so to other services; a cookie session has none.',
  })
  @ApiProblems('invalid-request')
  stepUp(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Body() body: StepUpDto,
  ): Promise<SteppedUpDto> {
    return this.steps.stepUp(actor, body, client);
  }

  @Post('passkey/options')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Ask for a passkey to prove again who one is' })
  @ApiResponse({
    status: 200,
    type: PasskeyRequestDto,
    description: 'What `navigator.credentials.get()` takes as `publicKey`.',
  })
  passkeyOptions(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return this.steps.passkeyOptions(actor);
  }
}
