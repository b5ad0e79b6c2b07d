import { Controller, Delete, Get, Patch, Post, Put, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Context, type RequestContext } from '../common/context/index.js';
import { Access } from '../common/http/index.js';
import { BatchService } from './batch.service.js';
import { RecordReader } from './record-reader.service.js';
import { Records, type RecordRequest } from './record-request.js';
import { RecordWriter } from './record-writer.service.js';
import { sendAnswer } from './send-answer.js';

/**
 * Records of every collection. What a caller may do is decided by the policies that are compiled into each statement,
 * so the routes themselves are public; the OpenAPI document of each caller is made from the catalog.
 */
@ApiExcludeController()
@Access('public')
@Controller({ path: 'api', version: VERSION_NEUTRAL })
export class RecordsController {
  constructor(
    private readonly reader: RecordReader,
    private readonly writer: RecordWriter,
    private readonly batches: BatchService,
  ) {}

  @Post('batch')
  async batch(
    @Context() context: RequestContext,
    @Records() request: RecordRequest,
    @Res() reply: FastifyReply,
  ) {
    sendAnswer(reply, await this.batches.run(context, request));
  }

  @Get(':collection/aggregate')
  async aggregate(
    @Context() context: RequestContext,
    @Records() request: RecordRequest,
    @Res() reply: FastifyReply,
  ) {
    sendAnswer(reply, await this.reader.aggregate(context, request));
  }

  @Get(':collection')
  async list(
    @Context() context: RequestContext,
    @Records() request: RecordRequest,
    @Res() reply: FastifyReply,
  ) {
    sendAnswer(reply, await this.reader.list(context, request));
  }

  @Post(':collection')
  async create(
    @Context() context: RequestContext,
    @Records() request: RecordRequest,
    @Res() reply: FastifyReply,
  ) {
    sendAnswer(reply, await this.writer.create(context, request));
  }

  @Patch(':collection')
  async updateMany(
    @Context() context: RequestContext,
    @Records() request: RecordRequest,
    @Res() reply: FastifyReply,
  ) {
    sendAnswer(reply, await this.writer.updateMany(context, request));
  }

  @Delete(':collection')
  async deleteMany(
    @Context() context: RequestContext,
    @Records() request: RecordRequest,
    @Res() reply: FastifyReply,
  ) {
    sendAnswer(reply, await this.writer.deleteMany(context, request));
  }

  @Get(':collection/:key')
  async get(
    @Context() context: RequestContext,
    @Records() request: RecordRequest,
    @Res() reply: FastifyReply,
  ) {
    sendAnswer(reply, await this.reader.get(context, request));
  }

  @Patch(':collection/:key')
  async update(
    @Context() context: RequestContext,
    @Records() request: RecordRequest,
    @Res() reply: FastifyReply,
  ) {
    sendAnswer(reply, await this.writer.update(context, request));
  }

  @Put(':collection/:key')
  async replace(
    @Context() context: RequestContext,
    @Records() request: RecordRequest,
    @Res() reply: FastifyReply,
  ) {
    sendAnswer(reply, await this.writer.replace(context, request));
  }

  @Delete(':collection/:key')
  async delete(
    @Context() context: RequestContext,
    @Records() request: RecordRequest,
    @Res() reply: FastifyReply,
  ) {
    sendAnswer(reply, await this.writer.delete(context, request));
  }
}
