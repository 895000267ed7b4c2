#!/bin/sh
# The newest forecast of a sensor, and a forecast of this very moment: sh curl.sh SENSOR
# PREDICTOR_URL says where the API is, PREDICTOR_KEY is a key of it (scopes read and forecast), or empty.
set -eu
sensor=$1
url=${PREDICTOR_URL:-http://127.0.0.1:3000}

# --retry heeds Retry-After; --fail-with-body shows what the API has against a request, and ends with 22.
ask() {
  path=$1
  shift
  curl --silent --show-error --fail-with-body --retry 3 ${PREDICTOR_KEY:+--header "Authorization: Bearer $PREDICTOR_KEY"} "$@" "$url$path"
}

# As CSV, a row per lead; a slash or a space in an id is escaped as in any URL.
ask "/v1/sensors/$sensor/forecasts?target=temperature" --header "Accept: text/csv"

# Decided now: one outcome for each sensor that is named.
ask /v1/forecasts --header "Content-Type: application/json" --data "{\"sensorIds\": [\"$sensor\"]}"
echo

# What fires.
ask "/v1/alerts?limit=5"
echo
