import { Body, Controller, HttpCode, Post, Req, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, ApiProblems, CrossSiteCheck, NoParameters } from '../../common/http/index.js';
import type { SecondFactorStepDto } from '../second-factor/second-factor.dto.js';
import { ApiSignedIn } from '../sign-in/api-signed-in.decorator.js';
import { FromClient, type Client } from '../client.js';
import { refuseForeignCookie } from '../sign-in/refuse-foreign-cookie.js';
import { sendSignedIn } from '../sign-in/send-signed-in.js';
import type { SignedInDto } from '../sign-in/sign-in.dto.js';
import { EmailSignIn } from './email-sign-in.service.js';
import { Languages } from './languages.decorator.js';
import { AddressDto, MailTokenDto, NewPasswordDto, VerifyCodeDto } from './mail-flows.dto.js';
import { Recovery } from './recovery.service.js';

/** What people do with mails from here. A credential that comes along is not looked at. */
@ApiTags('auth')
@ApiProblems('invalid-request', 'forbidden')
@Access('public', { credentials: 'ignored' })
@Controller({ path: 'auth', version: VERSION_NEUTRAL })
export class MailFlowsController {
  constructor(
    private readonly recovery: Recovery,
    private readonly emails: EmailSignIn,
    private readonly crossSite: CrossSiteCheck,
  ) {}

  @Post('email/verify')
  @HttpCode(204)
  @ApiOperation({ summary: 'Show that an e-mail address is yours, with the token of a mail' })
  @ApiResponse({ status: 204, description: 'The address is verified.' })
  verify(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Body() { token }: MailTokenDto,
  ): Promise<void> {
    return this.emails.verify(token, client);
  }

  @Post('password/forgot')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Ask for a mail to set a new password',
    description: 'The answer does not tell whether there is an account with the address.',
  })
  @ApiResponse({ status: 202, description: 'Taken.' })
  forgot(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Languages() languages: string,
    @Body() body: AddressDto,
  ): Promise<void> {
    return this.recovery.forgot(body, languages, client);
  }

  @Post('password/reset')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Set a new password, with the token of a mail',
    description: 'Ends every session of the user. The user is told by mail.',
  })
  @ApiResponse({ status: 204, description: 'The password is set: sign in.' })
  reset(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Languages() languages: string,
    @Body() body: NewPasswordDto,
  ): Promise<void> {
    return this.recovery.reset(body, languages, client);
  }

  @Post('code')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Ask for a mail with a code and a link to sign in with',
    description:
      'The answer does not tell whether there is an account with the address. Where sign-up is open, there need not be one: it is made when the code is used.',
  })
  @ApiResponse({ status: 202, description: 'Taken.' })
  requestCode(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Languages() languages: string,
    @Body() body: AddressDto,
  ): Promise<void> {
    return this.emails.requestCode(body, languages, client);
  }

  @Post('code/verify')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Sign in with a code or a link that was mailed',
    description: 'The body has the address and the code, or the token of the link.',
  })
  @ApiSignedIn()
  async verifyCode(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Body() body: VerifyCodeDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedInDto | SecondFactorStepDto> {
    refuseForeignCookie(body, this.crossSite.isOwn(request));
    return sendSignedIn(await this.emails.verifyCode(body, client), request, reply);
  }

  @Post('invitation/accept')
  @HttpCode(204)
  @ApiOperation({ summary: 'Accept an invitation: choose a password, with the token of the mail' })
  @ApiResponse({ status: 204, description: 'The account is active: sign in.' })
  accept(
    @NoParameters() _none: unknown,
    @FromClient() client: Client,
    @Body() body: NewPasswordDto,
  ): Promise<void> {
    return this.recovery.accept(body, client);
  }
}
