import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { IfGiven, PageDto, PageQuery } from '../../access/index.js';
import { SIGN_IN_EVENT_KINDS, type SignInEventKind } from './sign-in-event.entity.js';

export class SignInEventDto {
  @ApiProperty({ type: 'string', format: 'date-time' })
  at: Date;

  @ApiProperty({ enum: SIGN_IN_EVENT_KINDS })
  kind: SignInEventKind;

  @ApiProperty({ type: 'string', format: 'uuid', nullable: true, description: 'Whom it is about.' })
  userId: string | null;

  @ApiProperty({ type: 'string', format: 'uuid', nullable: true })
  sessionId: string | null;

  @ApiProperty({ type: 'string', nullable: true, description: 'The e-mail address that was given.' })
  email: string | null;

  @ApiProperty({ description: "The client's address." })
  address: string;

  @ApiProperty({ type: 'string', nullable: true })
  userAgent: string | null;

  @ApiProperty()
  requestId: string;

  @ApiProperty({ description: 'Who did it: `public`, `user:<id>`, `key:<id>` or `operator`.' })
  actor: string;
}

export class SignInEventPageDto {
  @ApiProperty({ type: [SignInEventDto] })
  data: readonly SignInEventDto[];

  @ApiProperty({ type: PageDto })
  page: PageDto;
}

export class SignInEventQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Only what is about this user.', maxLength: 100 })
  @IfGiven()
  @IsString()
  @MaxLength(100)
  user?: string;

  @ApiPropertyOptional({ enum: SIGN_IN_EVENT_KINDS, description: 'Only events of this kind.' })
  @IfGiven()
  @IsIn(SIGN_IN_EVENT_KINDS)
  kind?: SignInEventKind;
}
