import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

/**
 * What a device answered is kept byte for byte where no text column can hold it. And work that fails again and again stands somewhere: for a
 * business beside its data, for the platform where the operator's door reaches it. A row goes as soon as the work succeeds.
 */
export default class WhatComesIn extends Migration {
  override up(): void {
    this.addSql('alter table attempt add response_raw bytea');
    addBusinessTable(
      this,
      'failing_job',
      `business_id text not null references business, job text not null,
       since timestamptz not null, last_at timestamptz not null, failures int not null, problem jsonb not null,
       primary key (business_id, job)`,
      'select, insert, update, delete',
    );
    this.addSql(
      `create table reference.failing_job (job text primary key, since timestamptz not null, last_at timestamptz not null,
         failures int not null, reason text not null)`,
    );
    this.addSql('grant select, insert, update, delete on reference.failing_job to muhuri_platform');
  }

  override down(): void {
    this.addSql('drop table reference.failing_job');
    this.addSql('drop table failing_job');
    this.addSql('alter table attempt drop response_raw');
  }
}
