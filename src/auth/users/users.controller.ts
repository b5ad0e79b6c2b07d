import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Access, ApiProblems, NoParameters } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { ReturnDto } from '../mails/mail-flows.dto.js';
import { UserManagementService } from './user-management.service.js';
import { CreateUserDto, UpdateUserDto, UserDto, UserPageDto, UserQuery } from './user.dto.js';
import { UsersService } from './users.service.js';

/** Users, as administrators manage them. */
@ApiTags('users')
@ApiProblems('forbidden')
@Access('admin')
@Controller({ path: 'system/users', version: VERSION_NEUTRAL })
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly management: UserManagementService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List users' })
  @ApiResponse({ status: 200, type: UserPageDto, description: 'A page of users, newest first.' })
  @ApiProblems('invalid-parameter', 'invalid-cursor')
  list(@Query() query: UserQuery): Promise<UserPageDto> {
    return this.users.list(query);
  }

  @Post()
  @ApiOperation({ summary: 'Create a user' })
  @ApiResponse({ status: 201, type: UserDto, description: 'The new user.' })
  @ApiProblems('invalid-request', 'unique-violation')
  create(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Body() body: CreateUserDto,
  ): Promise<UserDto> {
    return this.management.create(body, client);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a user' })
  @ApiResponse({ status: 200, type: UserDto, description: 'The user.' })
  @ApiProblems('not-found')
  get(@NoParameters() _none: unknown, @Param('id') id: string): Promise<UserDto> {
    return this.users.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    summary: 'Change a user',
    description: 'Roles and claims hold for sessions that are open, too. A new password ends them.',
  })
  @ApiResponse({ status: 200, type: UserDto, description: 'The user as it is now.' })
  @ApiProblems('invalid-request', 'not-found', 'unique-violation')
  update(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Param('id') id: string,
    @Body() body: UpdateUserDto,
  ): Promise<UserDto> {
    return this.management.update(id, body, client);
  }

  @Post(':id/invite')
  @HttpCode(202)
  @ApiOperation({ summary: 'Mail an invitation to a user who has not accepted yet' })
  @ApiResponse({
    status: 202,
    description: 'The mail is on its way; links of earlier ones are good no more.',
  })
  @ApiProblems('invalid-request', 'not-found', 'conflict')
  invite(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Param('id') id: string,
    @Body() { returnTo }: ReturnDto,
  ): Promise<void> {
    return this.management.invite(id, returnTo, client);
  }

  @Post(':id/block')
  @HttpCode(200)
  @ApiOperation({ summary: 'Block a user: end their sessions, and let them start none' })
  @ApiResponse({ status: 200, type: UserDto, description: 'Blocked, everywhere within a second.' })
  @ApiProblems('not-found')
  block(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Param('id') id: string,
  ): Promise<UserDto> {
    return this.management.setBlocked(id, true, client);
  }

  @Post(':id/unblock')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let a user sign in again' })
  @ApiResponse({ status: 200, type: UserDto, description: 'The user is active.' })
  @ApiProblems('not-found')
  unblock(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Param('id') id: string,
  ): Promise<UserDto> {
    return this.management.setBlocked(id, false, client);
  }

  @Post(':id/sign-out')
  @HttpCode(204)
  @ApiOperation({ summary: 'End all sessions of a user' })
  @ApiResponse({ status: 204, description: 'They are over, everywhere within a second.' })
  @ApiProblems('not-found')
  signOut(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Param('id') id: string,
  ): Promise<void> {
    return this.management.signOut(id, client);
  }

  @Post(':id/reset-second-factor')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Take all second factors from a user',
    description:
      'Authenticator app, passkeys and recovery codes are gone, for somebody who has lost them: make sure of who asks.',
  })
  @ApiResponse({ status: 204, description: 'The first factor will do, until the user adds a second one.' })
  @ApiProblems('not-found')
  resetSecondFactor(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Param('id') id: string,
  ): Promise<void> {
    return this.management.resetSecondFactor(id, client);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a user' })
  @ApiResponse({ status: 204, description: 'The user is gone, and their sessions with them.' })
  @ApiProblems('not-found', 'foreign-key-violation')
  delete(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Param('id') id: string,
  ): Promise<void> {
    return this.management.delete(id, client);
  }
}
