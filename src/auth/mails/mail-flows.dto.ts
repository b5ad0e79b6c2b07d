import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsIn, IsString, Matches, MaxLength } from 'class-validator';
import { IfGiven } from '../../access/index.js';
import { MAX_PASSWORD_LENGTH } from '../passwords/password-policy.js';
import type { SessionKind } from '../sessions/sessions.service.js';
import { MAX_EMAIL_LENGTH } from '../users/email-address.js';
import { MAX_RETURN_URL } from './return-urls.js';

const MAX_TOKEN = 200;

export class ReturnDto {
  @ApiPropertyOptional({
    maxLength: MAX_RETURN_URL,
    description:
      'The page of an application that the link in the mail leads to, with `#token=`: one of `PLINTH_RETURN_URLS`. Default: a page of this server.',
    example: 'https://shop.example.com/account/verified',
  })
  @IfGiven()
  @IsString()
  @MaxLength(MAX_RETURN_URL)
  returnTo?: string;
}

export class AddressDto extends ReturnDto {
  @ApiProperty({ format: 'email', maxLength: MAX_EMAIL_LENGTH, example: 'ada@example.org' })
  @IsEmail()
  @MaxLength(MAX_EMAIL_LENGTH)
  email: string;
}

export class MailTokenDto {
  @ApiProperty({ maxLength: MAX_TOKEN, description: 'What follows `#token=` in the link.' })
  @IsString()
  @MaxLength(MAX_TOKEN)
  token: string;
}

export class NewPasswordDto extends MailTokenDto {
  @ApiProperty({ maxLength: MAX_PASSWORD_LENGTH, example: 'four words nobody guesses' })
  @IsString()
  @MaxLength(MAX_PASSWORD_LENGTH)
  password: string;
}

/** Either the address with the code, or the token of the link. */
export class VerifyCodeDto {
  @ApiPropertyOptional({ format: 'email', maxLength: MAX_EMAIL_LENGTH, example: 'ada@example.org' })
  @IfGiven()
  @IsEmail()
  @MaxLength(MAX_EMAIL_LENGTH)
  email?: string;

  @ApiPropertyOptional({ pattern: '^\\d{6}$', example: '042137' })
  @IfGiven()
  @Matches(/^\d{6}$/, { message: 'code must be six digits' })
  code?: string;

  @ApiPropertyOptional({ maxLength: MAX_TOKEN, description: 'What follows `#token=` in the link.' })
  @IfGiven()
  @IsString()
  @MaxLength(MAX_TOKEN)
  token?: string;

  @ApiPropertyOptional({
    enum: ['token', 'cookie'],
    default: 'token',
    description:
      '`cookie` for browsers: the answer sets a cookie that scripts cannot read, and has no tokens.',
  })
  @IfGiven()
  @IsIn(['token', 'cookie'])
  session?: SessionKind;
}
