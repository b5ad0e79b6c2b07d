import { Body, Controller, Post, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Access, ApiProblems, NoParameters } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { SetUpDto } from '../sign-in/sign-in.dto.js';
import { UserDto } from '../users/user.dto.js';
import { FirstAdministrator } from './first-administrator.service.js';

/** The way in for the first administrator. */
@ApiTags('auth')
@Access('public', { credentials: 'ignored' })
@Controller({ path: 'auth/set-up', version: VERSION_NEUTRAL })
export class SetUpController {
  constructor(private readonly first: FirstAdministrator) {}

  @Post()
  @ApiOperation({
    summary: 'Make the first administrator',
    description: 'With the token of the link that the log has, once, while there is no administrator.',
  })
  @ApiResponse({ status: 201, type: UserDto, description: 'The administrator, who can sign in now.' })
  @ApiProblems('invalid-request', 'forbidden')
  setUp(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Body() body: SetUpDto,
  ): Promise<UserDto> {
    return this.first.setUp(body, client);
  }
}
