import { Controller, Get, Header, HttpCode, Post, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentActor, type Actor } from '../../common/context/index.js';
import { Access, ApiProblems, NoParameters, RequireRecentAuth } from '../../common/http/index.js';
import { userOf } from '../account/account.service.js';
import { FromClient, type Client } from '../client.js';
import { RecoveryCodesDto, SecondFactorStateDto } from './second-factor.dto.js';
import { SecondFactors } from './second-factors.service.js';

/** The second factors of the user who asks. */
@ApiTags('auth')
@ApiProblems('forbidden')
@Access('authenticated')
@Controller({ path: 'auth', version: VERSION_NEUTRAL })
export class OwnFactorsController {
  constructor(private readonly factors: SecondFactors) {}

  @Get('second-factor')
  @ApiOperation({ summary: 'Tell what second factors the user who asks has' })
  @ApiResponse({ status: 200, type: SecondFactorStateDto, description: 'The methods.' })
  describe(@NoParameters() _none: unknown, @CurrentActor() actor: Actor): Promise<SecondFactorStateDto> {
    return this.factors.describe(userOf(actor));
  }

  @Post('recovery-codes')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @RequireRecentAuth(300, { secondFactor: 'if-enrolled' })
  @ApiOperation({ summary: 'Get new recovery codes', description: 'Those of before are good no more.' })
  @ApiResponse({ status: 200, type: RecoveryCodesDto, description: 'Ten new codes.' })
  @ApiProblems('conflict')
  async renewCodes(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
  ): Promise<RecoveryCodesDto> {
    return { recoveryCodes: await this.factors.renewCodes(userOf(actor), client) };
  }
}
