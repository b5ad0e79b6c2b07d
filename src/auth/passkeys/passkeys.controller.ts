import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  Patch,
  Post,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server';
import { CurrentActor, type Actor } from '../../common/context/index.js';
import { Access, ApiProblems, NoParameters, RequireRecentAuth } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { PasskeyManagement } from './passkey-management.service.js';
import {
  PasskeyCreationDto,
  PasskeyDto,
  PasskeyListDto,
  RegisteredPasskeyDto,
  RegisterPasskeyDto,
  RenamePasskeyDto,
  toPasskeyDto,
} from './passkey.dto.js';

/** The passkeys of the user who asks. */
@ApiTags('auth')
@ApiProblems('forbidden')
@Access('authenticated')
@Controller({ path: 'auth/passkeys', version: VERSION_NEUTRAL })
export class PasskeysController {
  constructor(private readonly passkeys: PasskeyManagement) {}

  @Get()
  @ApiOperation({ summary: 'List the passkeys of the user who asks' })
  @ApiResponse({ status: 200, type: PasskeyListDto, description: 'All of them, oldest first.' })
  async list(@NoParameters() _none: unknown, @CurrentActor() actor: Actor): Promise<PasskeyListDto> {
    return { data: (await this.passkeys.list(actor)).map(toPasskeyDto) };
  }

  @Post('register/options')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @RequireRecentAuth(300, { secondFactor: 'if-enrolled' })
  @ApiOperation({ summary: 'Begin to add a passkey' })
  @ApiResponse({
    status: 200,
    type: PasskeyCreationDto,
    description: 'What `navigator.credentials.create()` takes as `publicKey`.',
  })
  @ApiProblems('conflict')
  options(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
  ): Promise<PublicKeyCredentialCreationOptionsJSON> {
    return this.passkeys.options(actor);
  }

  @Post('register/verify')
  @HttpCode(201)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Add a passkey, in the session that has begun it' })
  @ApiResponse({ status: 201, type: RegisteredPasskeyDto, description: 'The passkey.' })
  @ApiProblems('invalid-request', 'unique-violation', 'conflict')
  register(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Body() body: RegisterPasskeyDto,
  ): Promise<RegisteredPasskeyDto> {
    return this.passkeys.register(actor, body, client);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Rename a passkey' })
  @ApiResponse({ status: 200, type: PasskeyDto, description: 'The passkey as it is now.' })
  @ApiProblems('invalid-request', 'not-found')
  async rename(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
    @Body() { name }: RenamePasskeyDto,
  ): Promise<PasskeyDto> {
    return toPasskeyDto(await this.passkeys.rename(actor, id, name));
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireRecentAuth(300, { secondFactor: 'if-enrolled' })
  @ApiOperation({ summary: 'Remove a passkey' })
  @ApiResponse({
    status: 204,
    description: 'It is good no more; recovery codes are gone with the last factor.',
  })
  @ApiProblems('not-found')
  remove(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Param('id') id: string,
  ): Promise<void> {
    return this.passkeys.remove(actor, id, client);
  }
}
