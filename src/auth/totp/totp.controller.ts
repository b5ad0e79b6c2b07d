import { Body, Controller, Header, HttpCode, Post, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentActor, type Actor } from '../../common/context/index.js';
import { Access, ApiProblems, NoParameters, RequireRecentAuth } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { NewRecoveryCodesDto } from '../second-factor/second-factor.dto.js';
import { TotpManagement } from './totp-management.service.js';
import { ConfirmTotpDto, TotpEnrolmentDto } from './totp.dto.js';

/** The authenticator app of the user who asks. */
@ApiTags('auth')
@ApiProblems('forbidden')
@Access('authenticated')
@Controller({ path: 'auth/totp', version: VERSION_NEUTRAL })
export class TotpController {
  constructor(private readonly management: TotpManagement) {}

  @Post('enroll')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @RequireRecentAuth(300, { secondFactor: 'if-enrolled' })
  @ApiOperation({
    summary: 'Begin to add an authenticator app',
    description:
      'It is on once a code of it is confirmed, within ten minutes. One that is on stays on until then.',
  })
  @ApiResponse({ status: 200, type: TotpEnrolmentDto, description: 'What the app needs.' })
  enroll(@NoParameters() _none: unknown, @CurrentActor() actor: Actor): Promise<TotpEnrolmentDto> {
    return this.management.enrol(actor);
  }

  @Post('confirm')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Turn the authenticator app on, with a code of it' })
  @ApiResponse({ status: 200, type: NewRecoveryCodesDto, description: 'It is on.' })
  @ApiProblems('invalid-request', 'conflict')
  async confirm(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Body() { code }: ConfirmTotpDto,
  ): Promise<NewRecoveryCodesDto> {
    return { recoveryCodes: await this.management.confirm(actor, code, client) };
  }

  @Post('remove')
  @HttpCode(204)
  @RequireRecentAuth(300, { secondFactor: 'if-enrolled' })
  @ApiOperation({ summary: 'Turn the authenticator app off' })
  @ApiResponse({
    status: 204,
    description: 'It is off; recovery codes are gone with the last second factor.',
  })
  @ApiProblems('not-found')
  remove(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
  ): Promise<void> {
    return this.management.remove(actor, client);
  }
}
