import { ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { IfGiven } from '../../access/index.js';
import { MAX_PASSWORD_LENGTH } from '../passwords/password-policy.js';
import { SecondFactorAnswerDto } from '../second-factor/second-factor.dto.js';
import { TokensDto } from '../sign-in/sign-in.dto.js';

/** One of the members. */
export class StepUpDto extends SecondFactorAnswerDto {
  @ApiPropertyOptional({ maxLength: MAX_PASSWORD_LENGTH })
  @IfGiven()
  @IsString()
  @MaxLength(MAX_PASSWORD_LENGTH)
  password?: string;
}

/** A new access token for the same session; its refresh token stays. */
export class SteppedUpDto extends OmitType(TokensDto, ['refreshToken'] as const) {}
