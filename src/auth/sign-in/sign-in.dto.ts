import { ApiProperty, ApiPropertyOptional, PickType } from '@nestjs/swagger';
import { IsEmail, IsIn, IsNotEmpty, IsObject, IsString, MaxLength } from 'class-validator';
import { IfGiven } from '../../access/index.js';
import { MaxJsonLength } from '../max-json-length.decorator.js';
import { MAX_RETURN_URL } from '../mails/return-urls.js';
import { MAX_PASSWORD_LENGTH } from '../passwords/password-policy.js';
import type { SessionKind } from '../sessions/sessions.service.js';
import { MAX_EMAIL_LENGTH } from '../users/email-address.js';
import { MAX_PROFILE_LENGTH, UserDto } from '../users/user.dto.js';

class CredentialsDto {
  @ApiProperty({ format: 'email', maxLength: MAX_EMAIL_LENGTH, example: 'ada@example.org' })
  @IsEmail()
  @MaxLength(MAX_EMAIL_LENGTH)
  email: string;

  @ApiProperty({ maxLength: MAX_PASSWORD_LENGTH, example: 'four words nobody guesses' })
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_PASSWORD_LENGTH)
  password: string;
}

export class SignUpDto extends CredentialsDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: `At most ${MAX_PROFILE_LENGTH} characters of JSON.`,
    example: { name: 'Ada Lovelace' },
  })
  @IfGiven()
  @IsObject()
  @MaxJsonLength(MAX_PROFILE_LENGTH)
  profile?: Record<string, unknown>;

  @ApiPropertyOptional({
    maxLength: MAX_RETURN_URL,
    description:
      'The page of an application that the link in the mail leads to: one of `PLINTH_RETURN_URLS`. Default: a page of this server.',
    example: 'https://shop.example.com/account/verified',
  })
  @IfGiven()
  @IsString()
  @MaxLength(MAX_RETURN_URL)
  returnTo?: string;
}

export class SignInDto extends CredentialsDto {
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

export class SetUpDto extends CredentialsDto {
  @ApiProperty({ maxLength: 200, description: 'What follows `#` in the set-up link.' })
  @IsString()
  @MaxLength(200)
  token: string;
}

export class RefreshDto {
  @ApiProperty({ maxLength: 200, example: 'plinth_rt_...' })
  @IsString()
  @MaxLength(200)
  refreshToken: string;
}

export class ChangePasswordDto {
  @ApiProperty({ maxLength: MAX_PASSWORD_LENGTH })
  @IsString()
  @MaxLength(MAX_PASSWORD_LENGTH)
  currentPassword: string;

  @ApiProperty({ maxLength: MAX_PASSWORD_LENGTH })
  @IsString()
  @MaxLength(MAX_PASSWORD_LENGTH)
  newPassword: string;
}

export class TokensDto {
  @ApiPropertyOptional({ description: 'A JWT, for `Authorization: Bearer`. Absent in a cookie session.' })
  accessToken?: string;

  @ApiPropertyOptional({ enum: ['Bearer'] })
  tokenType?: 'Bearer';

  @ApiPropertyOptional({ description: 'Good once, for a new pair of tokens. Absent in a cookie session.' })
  refreshToken?: string;

  @ApiProperty({
    type: 'integer',
    description: 'Seconds for which the access token holds; of a cookie session, until it ends without use.',
  })
  expiresIn: number;
}

export class SignedInDto extends TokensDto {
  @ApiProperty({ type: UserDto })
  user: UserDto;
}

export class RefreshedDto extends PickType(TokensDto, ['expiresIn'] as const) {
  @ApiProperty({ description: 'A JWT, for `Authorization: Bearer`.' })
  accessToken: string;

  @ApiProperty({ enum: ['Bearer'] })
  tokenType: 'Bearer';

  @ApiProperty({ description: 'Good once; the one that was sent is good no more.' })
  refreshToken: string;
}
