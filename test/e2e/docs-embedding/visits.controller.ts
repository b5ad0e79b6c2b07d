import { Body, Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsString, MaxLength } from 'class-validator';
import { Repository } from 'typeorm';
import { Access, CurrentActor, Public, RequireRecentAuth, Roles, type Actor } from '../../../src/index.js';
import { Visit } from './visit.entity.js';

class NewVisit {
  @IsString()
  @MaxLength(200)
  purpose: string;
}

@Roles('analyst')
@Controller('visits')
export class VisitsController {
  constructor(@InjectRepository(Visit) private readonly visits: Repository<Visit>) {}

  @Get()
  list() {
    return this.visits.find({ order: { id: 'ASC' } });
  }

  @Public()
  @Get('count')
  async count() {
    return { visits: await this.visits.count() };
  }

  @Access('authenticated')
  @Post()
  add(@CurrentActor() { kind, id }: Actor, @Body() { purpose }: NewVisit) {
    return this.visits.save(this.visits.create({ purpose, actor: `${kind}:${id}` }));
  }

  @RequireRecentAuth(300)
  @Delete()
  @HttpCode(204)
  async forget() {
    await this.visits.clear();
  }
}
