#!/bin/sh
# The namespace and the search attributes Holdfast's workflows set (workflows/search-attributes.ts). May run
# again at every start.
set -eu
export TEMPORAL_ADDRESS=temporal:7233 TEMPORAL_NAMESPACE=holdfast

attempt=0
until temporal operator cluster health; do
  attempt=$((attempt + 1))
  [ "$attempt" -lt 30 ] || exit 1
  sleep 2
done

temporal operator namespace describe --namespace holdfast > /dev/null 2>&1 ||
  temporal operator namespace create --namespace holdfast --retention 30d

known=$(temporal operator search-attribute list)
for attribute in HoldfastPolicy:Keyword HoldfastAsset:KeywordList HoldfastJob:Keyword HoldfastStatus:Keyword; do
  case $known in
    *"${attribute%%:*}"*) ;;
    *) temporal operator search-attribute create --name "${attribute%%:*}" --type "${attribute##*:}" ;;
  esac
done
