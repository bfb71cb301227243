import { Migration } from '@mikro-orm/migrations';

/** Of the keys a device was given: when it was asked for those that hold, and, sealed as they are, those that cannot take their place. */
export default class KeysSetAside extends Migration {
  override up(): void {
    this.addSql('alter table device add keys_asked_at timestamptz, add keys_aside text');
  }

  override down(): void {
    this.addSql('alter table device drop keys_asked_at, drop keys_aside');
  }
}
