import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { IfGiven, PageDto, PageQuery } from '../access/index.js';

/**
 * `waiting` jobs can be taken, `scheduled` ones at their time, `running` ones are being worked; `dead` ones have failed too
 * often and are kept.
 */
export const JOB_STATES = ['waiting', 'scheduled', 'running', 'dead'] as const;
export type JobState = (typeof JOB_STATES)[number];

export class JobDto {
  @ApiProperty({ example: '4711' })
  id: string;

  @ApiProperty({ example: 'mail.send', description: 'Which kind of job.' })
  name: string;

  @ApiProperty({ enum: JOB_STATES })
  state: JobState;

  @ApiProperty({ type: 'integer', description: 'Lower ones go first.' })
  priority: number;

  @ApiProperty({ type: 'integer', description: 'How often it was begun.' })
  attempts: number;

  @ApiProperty({ type: 'integer' })
  maxAttempts: number;

  @ApiProperty({ type: 'string', nullable: true, description: 'Of jobs that wait, one has this key.' })
  key: string | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    description: 'Jobs of one queue run one after the other.',
  })
  queue: string | null;

  @ApiProperty({ type: 'string', nullable: true, description: 'Why it failed the last time.' })
  error: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Null where it may hold secrets: it is encrypted then.',
  })
  payload: Record<string, unknown> | null;

  @ApiProperty({ type: 'string', format: 'date-time', description: 'Not before.' })
  runAt: Date;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'When a worker took it.' })
  startedAt: Date | null;

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt: Date;
}

export class JobPageDto {
  @ApiProperty({ type: [JobDto] })
  data: readonly JobDto[];

  @ApiProperty({ type: PageDto })
  page: PageDto;
}

export class JobQuery extends PageQuery {
  @ApiPropertyOptional({ enum: JOB_STATES, description: 'Only jobs in this state.' })
  @IfGiven()
  @IsIn(JOB_STATES)
  state?: JobState;

  @ApiPropertyOptional({ description: 'Only jobs of this kind.', maxLength: 100 })
  @IfGiven()
  @IsString()
  @MaxLength(100)
  name?: string;
}
