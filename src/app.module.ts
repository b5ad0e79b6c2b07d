import { Module } from '@nestjs/common';
import { PlinthModule } from './plinth.module.js';

/** The standalone server. */
@Module({ imports: [PlinthModule.forRoot()] })
export class AppModule {}
