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
  Req,
  Res,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PageQuery } from '../../access/index.js';
import { CurrentActor, type Actor } from '../../common/context/index.js';
import { Access, ApiProblems, NoParameters, removeSessionCookie } from '../../common/http/index.js';
import { FromClient, type Client } from '../client.js';
import { EmailSignIn } from '../mails/email-sign-in.service.js';
import { Languages } from '../mails/languages.decorator.js';
import { ReturnDto } from '../mails/mail-flows.dto.js';
import { SessionPageDto, toSessionDto } from '../sessions/session.dto.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { sendSignedIn } from '../sign-in/send-signed-in.js';
import { ChangePasswordDto, SignedInDto } from '../sign-in/sign-in.dto.js';
import { UpdateMeDto, UserDto } from '../users/user.dto.js';
import { AccountService, userOf } from './account.service.js';

/** What users see and change of themselves. */
@ApiTags('auth')
@ApiProblems('forbidden')
@Access('authenticated')
@Controller({ path: 'auth', version: VERSION_NEUTRAL })
export class AccountController {
  constructor(
    private readonly account: AccountService,
    private readonly sessions: SessionsService,
    private readonly emails: EmailSignIn,
  ) {}

  @Get('me')
  @ApiOperation({ summary: 'Get the user who asks' })
  @ApiResponse({ status: 200, type: UserDto, description: 'The user.' })
  me(@NoParameters() _none: unknown, @CurrentActor() actor: Actor): Promise<UserDto> {
    return this.account.get(actor);
  }

  @Patch('me')
  @ApiOperation({ summary: 'Change the username or the profile' })
  @ApiResponse({ status: 200, type: UserDto, description: 'The user as it is now.' })
  @ApiProblems('invalid-request', 'unique-violation')
  updateMe(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @Body() body: UpdateMeDto,
  ): Promise<UserDto> {
    return this.account.update(actor, body);
  }

  @Post('email/verify/send')
  @HttpCode(202)
  @ApiOperation({ summary: 'Ask for a mail that shows that your e-mail address is yours' })
  @ApiResponse({ status: 202, description: 'Taken. Of an address that is verified, nothing is mailed.' })
  @ApiProblems('invalid-request')
  requestVerification(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Languages() languages: string,
    @Body() { returnTo }: ReturnDto,
  ): Promise<void> {
    return this.emails.requestVerification(userOf(actor), returnTo, languages, client);
  }

  @Post('password/change')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Change the password',
    description:
      'Ends every session of the user at once, on all devices. The answer has a new one for the caller, as after a sign-in. A user with a second factor must have shown it within five minutes.',
  })
  @ApiResponse({ status: 200, type: SignedInDto, description: 'Signed in anew.' })
  @ApiProblems('invalid-request')
  async changePassword(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Body() body: ChangePasswordDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedInDto> {
    const signedIn = await this.account.changePassword(actor, body, client);
    return sendSignedIn(signedIn, request, reply);
  }

  @Post('sign-out')
  @Access('authenticated', { acting: 'allowed' })
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out: end the session that asks' })
  @ApiResponse({
    status: 204,
    description: 'The session is over: its tokens are refused, everywhere within a second.',
  })
  async signOut(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    userOf(actor);
    const { session } = actor;
    if (session) await this.sessions.signOut(session.id, client);
    if (session?.isCookie) removeSessionCookie(request, reply);
  }

  @Get('sessions')
  @ApiOperation({ summary: 'List the sessions of the user who asks' })
  @ApiResponse({ status: 200, type: SessionPageDto, description: 'A page of sessions, newest first.' })
  @ApiProblems('invalid-parameter', 'invalid-cursor')
  async listSessions(
    @CurrentActor() actor: Actor,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<SessionPageDto> {
    const { data, page } = await this.sessions.list({ limit, cursor, user: userOf(actor) });
    return { data: data.map((session) => toSessionDto(session, actor.session?.id)), page };
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  @ApiOperation({ summary: 'End a session of the user who asks' })
  @ApiResponse({ status: 204, description: 'It is over, everywhere within a second.' })
  @ApiProblems('not-found')
  async endSession(
    @NoParameters() _none: unknown,
    @CurrentActor() actor: Actor,
    @FromClient() client: Client,
    @Param('id') id: string,
  ): Promise<void> {
    await this.sessions.end(id, userOf(actor), client);
  }
}
