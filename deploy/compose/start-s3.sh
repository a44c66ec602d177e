#!/bin/sh
# The gateway takes its root credentials from the environment only.
set -eu
ROOT_ACCESS_KEY_ID=$(cat /run/secrets/s3_access_key)
ROOT_SECRET_ACCESS_KEY=$(cat /run/secrets/s3_secret_key)
export ROOT_ACCESS_KEY_ID ROOT_SECRET_ACCESS_KEY
mkdir -p /data/buckets /data/versions
exec /usr/local/bin/versitygw posix --versioning-dir /data/versions /data/buckets
