import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { IfGiven, PageDto, PageQuery } from '../../access/index.js';
import { describeDevice } from './describe-device.js';
import type { Session } from './session.entity.js';

export class SessionDto {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ format: 'uuid' })
  userId: string;

  @ApiProperty({ enum: ['token', 'cookie'] })
  kind: Session['kind'];

  @ApiProperty({
    type: 'string',
    format: 'uuid',
    nullable: true,
    description: 'The administrator who acts as the user in it.',
  })
  actedBy: string | null;

  @ApiProperty({ description: 'Whether it is the one that asks.' })
  isCurrent: boolean;

  @ApiProperty({ description: 'In words, as far as it tells.', example: 'Firefox on Linux' })
  device: string;

  @ApiProperty({ type: 'string', nullable: true })
  userAgent: string | null;

  @ApiProperty({ description: "The client's address when it signed in or last refreshed." })
  address: string;

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt: Date;

  @ApiProperty({ type: 'string', format: 'date-time', description: 'Within ten minutes.' })
  lastUsedAt: Date;

  @ApiProperty({ type: 'string', format: 'date-time', description: 'When it ends if it is not used before.' })
  expiresAt: Date;
}

export class SessionPageDto {
  @ApiProperty({ type: [SessionDto] })
  data: readonly SessionDto[];

  @ApiProperty({ type: PageDto })
  page: PageDto;
}

export class SessionQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Only sessions of this user.', maxLength: 100 })
  @IfGiven()
  @IsString()
  @MaxLength(100)
  user?: string;
}

/** @param current the id of the session that asks */
export const toSessionDto = (session: Session, current: string | undefined): SessionDto => ({
  id: session.id,
  userId: session.userId,
  kind: session.kind,
  actedBy: session.actingSession?.userId ?? null,
  isCurrent: session.id === current,
  device: describeDevice(session.userAgent),
  userAgent: session.userAgent,
  address: session.address,
  createdAt: session.createdAt,
  lastUsedAt: session.lastUsedAt,
  expiresAt: session.expiresAt,
});
