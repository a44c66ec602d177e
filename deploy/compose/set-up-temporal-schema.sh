#!/bin/sh
# Creates Temporal's two databases, or brings them to this version's schema. May run again at every start.
set -eu
SQL_PASSWORD=$(cat /run/secrets/temporal_db_password)
export SQL_PASSWORD

sql() { temporal-sql-tool --plugin postgres12 --ep temporal-db -p 5432 -u temporal --db "$1" "$2" $3; }

for database in temporal:temporal temporal_visibility:visibility; do
  name=${database%%:*}
  schema=/etc/temporal/schema/postgresql/v12/${database##*:}/versioned
  sql "$name" create ''
  sql "$name" setup-schema '-v 0.0'
  sql "$name" update-schema "-d $schema"
done
