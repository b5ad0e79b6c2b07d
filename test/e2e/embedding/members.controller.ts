import {
  Body,
  Controller,
  Get,
  GoneException,
  NotFoundException,
  Post,
  ServiceUnavailableException,
  UnprocessableEntityException,
} from '@nestjs/common';
import { InjectDataSource, InjectRepository } from '@nestjs/typeorm';
import { IsString, MaxLength } from 'class-validator';
import { DataSource, Repository } from 'typeorm';
import { Access, Context, Database, type RequestContext } from '../../../src/index.js';
import { Member } from './member.entity.js';

export class CreateMemberDto {
  @IsString()
  @MaxLength(20)
  name: string;
}

/** An error that only the host knows. */
export class TeapotError extends Error {}

/** Routes of the host's own, over its own TypeORM. */
@Access('public')
@Controller('members')
export class MembersController {
  constructor(
    @InjectRepository(Member) private readonly members: Repository<Member>,
    @InjectDataSource() private readonly named: DataSource,
    private readonly unnamed: DataSource,
    private readonly database: Database,
  ) {}

  @Get()
  list(): Promise<Member[]> {
    return this.members.find({ order: { id: 'ASC' } });
  }

  @Post()
  add(@Body() { name }: CreateMemberDto): Promise<Member> {
    return this.members.save(this.members.create({ name }));
  }

  /** Which connections the host was given, and what they know. */
  @Get('connections')
  async connections() {
    const [row] = await this.database.execute({
      text: `SELECT current_setting('application_name')`,
      values: [],
    });
    return {
      isOne: this.named === this.unnamed,
      entities: this.named.entityMetadatas.map(({ name }) => name),
      applications: [await this.named.query(`SELECT current_setting('application_name') AS name`), row?.[0]],
    };
  }

  @Access('authenticated')
  @Get('me')
  me(@Context() { actor }: RequestContext) {
    return { kind: actor.kind, roles: actor.roles };
  }

  @Get('teapot')
  teapot(): never {
    throw new TeapotError();
  }

  @Get('bug')
  bug(): never {
    throw new Error('a secret of the host');
  }

  @Get('missing')
  missing(): never {
    throw new NotFoundException('There is no such member.');
  }

  @Get('gone')
  gone(): never {
    throw new GoneException('The member has left.');
  }

  @Get('unprocessable')
  unprocessable(): never {
    throw new UnprocessableEntityException(['name is taken', 'name is rude']);
  }

  @Get('closed')
  closed(): never {
    throw new ServiceUnavailableException('Members are asleep.');
  }
}
