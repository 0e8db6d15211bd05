#!/usr/bin/env bash
# Fetches a GPT-2 checkpoint from the Hugging Face hub: vocab.json, merges.txt, model.safetensors, config.json. What lies in the hub's
# cache on this machine already is copied from there.
#
# Every file is downloaded to FILE.part, checked against the checksum that the hub states for it, and only then given its name. No
# checksum is built into this script: large files carry their SHA-256 (header X-Linked-Etag), small ones their git blob SHA-1 (ETag).
# A download that is cut, or stopped with Ctrl-C, leaves FILE.part and goes on from there next time. SHA256SUMS in the output directory
# records what was verified; a later run checks the files against it, without the network, and fetches only what is missing or damaged.
# A download ends at the size that the hub states, whatever the server goes on to send. config.json comes last: a folder without it is no
# model to anybody, so what a stopped run leaves hides none.
set -euo pipefail

readonly FILES=(vocab.json merges.txt model.safetensors config.json)

usage() {
    cat <<'EOF'
usage: fetch_gpt2.sh [--out DIR] [--endpoint URL] [--retries N] MODEL

MODEL           gpt2, gpt2-medium, gpt2-large, gpt2-xl, distilgpt2, or any GPT-2 on the hub as OWNER/NAME
--out DIR       where the files go (default: models/NAME in this repository, where `gradpath --model NAME` finds them)
--endpoint URL  the hub or a mirror of it (default: $HF_ENDPOINT, or https://huggingface.co)
--retries N     further attempts after a broken connection (default: 5)

HF_TOKEN is sent to the hub, for models that are not public. The cache is looked for where HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE,
TRANSFORMERS_CACHE, HF_HOME or XDG_CACHE_HOME say, and in ~/.cache/huggingface/hub.
EOF
}

say() { printf '%s\n' "$*" >&2; }

die() {
    say "fetch_gpt2.sh: $*"
    exit 1
}

# The hub's name of a model.
repository_of() {
    case "$1" in
        gpt2 | gpt2-medium | gpt2-large | gpt2-xl) echo "openai-community/$1" ;;
        distilgpt2) echo "distilbert/$1" ;;
        */*/* | */ | /* | *[!A-Za-z0-9._/-]* | *..*) return 1 ;;
        */*) echo "$1" ;;
        *) return 1 ;;
    esac
}

size_of() { wc -c <"$1" | tr -d ' '; }

# sha BITS: the checksum of standard input.
sha() {
    if command -v "sha$1sum" >/dev/null; then "sha$1sum"; else shasum -a "$1"; fi | cut -d ' ' -f 1
}

sha256_of() { sha 256 <"$1"; }

git_blob_sha1_of() { { printf 'blob %s\0' "$(size_of "$1")" && cat "$1"; } | sha 1; }

# expanded PATH: with the home directory for ~, which a shell does not put into variables of a file.
expanded() {
    case "$1" in
        '~') printf '%s' "${HOME:-~}" ;;
        '~/'*) printf '%s/%s' "${HOME:-~}" "${1#'~/'}" ;;
        *) printf '%s' "$1" ;;
    esac
}

# The hub's caches on this machine, a line each.
caches() {
    local variable
    for variable in HF_HUB_CACHE HUGGINGFACE_HUB_CACHE TRANSFORMERS_CACHE; do
        [ -z "${!variable:-}" ] || printf '%s\n' "$(expanded "${!variable}")"
    done
    [ -z "${HF_HOME:-}" ] || printf '%s/hub\n' "$(expanded "$HF_HOME")"
    [ -z "${XDG_CACHE_HOME:-}" ] || printf '%s/huggingface/hub\n' "$(expanded "$XDG_CACHE_HOME")"
    [ -z "${HOME:-}" ] || printf '%s/.cache/huggingface/hub\n' "$HOME"
}

# cached FILE: a copy in a cache that is what the hub states; nothing where there is none.
cached() {
    local cache name file
    while IFS= read -r cache; do
        for name in "$repository" "${repository##*/}"; do
            for file in "$cache/models--${name//\//--}/snapshots"/*/"$1"; do
                [ -f "$file" ] || continue
                [ -z "$stated_size" ] || [ "$(size_of "$file")" -eq "$stated_size" ] || continue
                if matches "$file" "$stated_sum"; then
                    printf '%s' "$file"
                    return
                fi
            done
        done
    done < <(caches)
}

# curl with the token for the hub, which no list of processes shows; it goes to no other server that the hub redirects to.
hub_curl() {
    if [ -n "${HF_TOKEN:-}" ]; then
        curl -K <(printf 'header = "Authorization: Bearer %s"\n' "$HF_TOKEN") "$@"
    else
        curl "$@"
    fi
}

# matches FILE CHECKSUM: 64 digits are a SHA-256, 40 a git blob's SHA-1.
matches() {
    if [ "${#2}" -eq 64 ]; then [ "$(sha256_of "$1")" = "$2" ]; else [ "$(git_blob_sha1_of "$1")" = "$2" ]; fi
}

# header NAME: the value of a header in the response on standard input; the last one counts.
header() {
    tr -d '\r' | awk -v name="$1" 'BEGIN { name = tolower(name) ":" } tolower(substr($0, 1, length(name))) == name { v = substr($0, length(name) + 1); gsub(/^[ \t]+|[ \t]+$/, "", v) } END { print v }'
}

wait_before() {
    local seconds=$((1 << ($1 < 6 ? $1 - 1 : 5)))
    say "  trying again in $seconds s ($1 of $retries)"
    sleep "$seconds"
}

# ask FILE: what the hub states about a file, into stated_sum and stated_size. The address of a large file redirects to another
# server, whose headers say nothing about checksums: the redirect's own headers do. Redirects within the hub are followed.
ask() {
    local url="$endpoint/$repository/resolve/main/$1" attempt=0 hop=0 response status location origin
    origin=$(printf '%s' "$endpoint" | sed -E 's|^([a-z]+://[^/]+).*|\1|')
    stated_sum='' stated_size=''
    while :; do
        status=0
        response=$(hub_curl -sS -I --max-time 60 -H 'Accept-Encoding: identity' "$url") || status=$?
        if [ "$status" -ne 0 ]; then
            attempt=$((attempt + 1))
            [ "$attempt" -le "$retries" ] || die "no answer from $url (curl error $status); is the network up, and --endpoint right?"
            wait_before "$attempt"
            continue
        fi
        status=$(printf '%s\n' "$response" | tr -d '\r' | awk '/^HTTP\// { code = $2 } END { print code }')
        [ -n "$stated_sum" ] || stated_sum=$(header X-Linked-Etag <<<"$response")
        [ -n "$stated_size" ] || stated_size=$(header X-Linked-Size <<<"$response")
        case "$status" in
            200)
                [ -n "$stated_sum" ] || stated_sum=$(header ETag <<<"$response")
                [ -n "$stated_size" ] || stated_size=$(header Content-Length <<<"$response")
                break
                ;;
            301 | 302 | 303 | 307 | 308)
                [ -z "$stated_sum" ] || break
                location=$(header Location <<<"$response")
                hop=$((hop + 1))
                [ "$hop" -le 5 ] || die "$url: too many redirects"
                case "$location" in
                    //*) die "$url: redirects to $location without stating a checksum (X-Linked-Etag); refusing to fetch what cannot be verified" ;;
                    /*) url="$origin$location" ;;
                    "$origin"/*) url="$location" ;;
                    *) die "$url: redirects to ${location:-nowhere} without stating a checksum (X-Linked-Etag); refusing to fetch what cannot be verified" ;;
                esac
                ;;
            404) die "$url: not there (HTTP 404); the hub has no $1 for $repository" ;;
            401 | 403)
                [ -z "${HF_TOKEN:-}" ] || die "$url: access refused (HTTP $status); the model does not exist, or the token in HF_TOKEN may not read it"
                die "$url: access refused (HTTP $status); the model does not exist, or is not public: put a token that may read it into HF_TOKEN"
                ;;
            408 | 429 | 5??)
                attempt=$((attempt + 1))
                [ "$attempt" -le "$retries" ] || die "$url: HTTP $status"
                wait_before "$attempt"
                ;;
            *) die "$url: HTTP ${status:-without status}" ;;
        esac
    done
    stated_sum=${stated_sum#W/}
    stated_sum=${stated_sum//\"/}
    case "$stated_sum" in
        '' | *[!0-9a-f]*) stated_sum='' ;;
    esac
    [ "${#stated_sum}" -eq 64 ] || [ "${#stated_sum}" -eq 40 ] || die "$url: the server states no checksum (X-Linked-Etag or ETag); refusing to fetch what cannot be verified"
    case "$stated_size" in
        *[!0-9]*) stated_size='' ;;
    esac
}

# download FILE: brings FILE.part to its full length, in as many attempts as it takes.
download() {
    local part="$out/$1.part" url="$endpoint/$repository/resolve/main/$1" attempt=0 status before codes progress=(-sS)
    [ ! -t 2 ] || progress=(--progress-bar)
    while :; do
        before=0
        [ ! -f "$part" ] || before=$(size_of "$part")
        if [ -n "$stated_size" ] && [ "$before" -gt "$stated_size" ]; then
            rm -f "$part"
            before=0
        fi
        # Asking for the bytes after the last one is an error in HTTP, so a complete file must not be asked for again.
        if [ -n "$stated_size" ] && [ -f "$part" ] && [ "$before" -eq "$stated_size" ]; then return; fi
        [ "$before" -eq 0 ] || say "  going on at byte $before"
        # head ends the download where the file should end; what was cut off there is then for the checksum to judge.
        set +e
        hub_curl -fL "${progress[@]}" --connect-timeout 30 --speed-limit 1 --speed-time 60 -H 'Accept-Encoding: identity' -C "$before" "$url" |
            if [ -n "$stated_size" ]; then head -c "$((stated_size - before))"; else cat; fi >>"$part"
        codes=("${PIPESTATUS[@]}")
        set -e
        status=${codes[0]}
        [ "${codes[1]}" -eq 0 ] || die "cannot write $part; is the disk full?"
        if [ -n "$stated_size" ] && [ "$status" -ne 0 ] && [ "$(size_of "$part")" -eq "$stated_size" ]; then status=0; fi
        case "$status" in
            0)
                [ -f "$part" ] || : >"$part"
                if [ -z "$stated_size" ] || [ "$(size_of "$part")" -eq "$stated_size" ]; then return; fi
                say "  $(size_of "$part") of $stated_size bytes arrived"
                ;;
            33 | 36)
                say "  the server cannot resume; starting $1 again"
                rm -f "$part"
                ;;
            22)
                # Without a stated size, the server may have refused to go on behind the end of a complete file.
                say "  the server refused (curl error 22)"
                [ -n "$stated_size" ] || rm -f "$part"
                ;;
            130 | 143) interrupted ;;
            *) say "  the connection broke (curl error $status)" ;;
        esac
        attempt=$((attempt + 1))
        # A connection that moves the file on is worth more attempts than one that does not.
        if [ "$status" -ne 0 ] && [ "$retries" -gt 0 ] && [ -f "$part" ] && [ "$(size_of "$part")" -gt "$before" ]; then attempt=1; fi
        [ "$attempt" -le "$retries" ] || die "$url: download failed; run the same command again to go on from where it stopped"
        wait_before "$attempt"
    done
}

# recorded FILE: the checksum that an earlier run wrote down.
recorded() {
    [ ! -f "$out/SHA256SUMS" ] || awk -v name="$1" '$2 == name || $2 == "*" name { v = $1 } END { print v }' "$out/SHA256SUMS"
}

record() {
    local sum
    sum=$(sha256_of "$out/$1")
    {
        [ ! -f "$out/SHA256SUMS" ] || awk -v name="$1" '$2 != name && $2 != "*" name' "$out/SHA256SUMS"
        printf '%s  %s\n' "$sum" "$1"
    } >"$out/SHA256SUMS.part"
    mv -f "$out/SHA256SUMS.part" "$out/SHA256SUMS"
}

fetch() {
    local file="$out/$1" part="$out/$1.part" known resumed
    known=$(recorded "$1")
    if [ -f "$file" ] && [ -n "$known" ]; then
        if [ "$(sha256_of "$file")" = "$known" ]; then
            say "$1: already here, verified"
            return
        fi
        say "$1: does not match SHA256SUMS any more; fetching it again"
    fi

    ask "$1"
    if [ -f "$file" ] && [ -z "$known" ]; then
        matches "$file" "$stated_sum" || die "$file exists and is not the hub's $1; move it away or choose another --out"
        record "$1"
        say "$1: already here, verified"
        return
    fi

    local copy
    copy=$(cached "$1")
    if [ -n "$copy" ]; then
        cp "$copy" "$part"
        mv -f "$part" "$file"
        record "$1"
        say "$1: copied from $copy, verified"
        return
    fi

    say "$1: fetching ${stated_size:+$stated_size bytes}"
    resumed=0
    [ ! -s "$part" ] || resumed=1
    download "$1"
    if ! matches "$part" "$stated_sum" && [ "$resumed" -eq 1 ]; then
        say "  what an earlier run left does not fit; starting again"
        rm -f "$part"
        download "$1"
    fi
    if ! matches "$part" "$stated_sum"; then
        rm -f "$part"
        die "$1: wrong checksum; the hub states $stated_sum. Nothing was kept of it"
    fi
    mv -f "$part" "$file"
    record "$1"
}

interrupted() {
    say "interrupted; run the same command again to go on from where it stopped"
    exit 130
}

model='' out='' endpoint=${HF_ENDPOINT:-https://huggingface.co} retries=5
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help)
            usage
            exit 0
            ;;
        --out | --endpoint | --retries)
            [ $# -ge 2 ] && [ -n "$2" ] || die "$1 needs a value"
            case "$1" in
                --out) out=$2 ;;
                --endpoint) endpoint=$2 ;;
                --retries) retries=$2 ;;
            esac
            shift
            ;;
        -*) die "unknown option $1 (--help lists them)" ;;
        *)
            [ -z "$model" ] || die "one model at a time: $model or $1"
            model=$1
            ;;
    esac
    shift
done
if [ -z "$model" ]; then
    usage >&2
    exit 2
fi
repository=$(repository_of "$model") || die "unknown model '$model'; known are gpt2, gpt2-medium, gpt2-large, gpt2-xl and distilgpt2, others as OWNER/NAME"
case "$retries" in
    '' | *[!0-9]*) die "--retries $retries: a whole number is expected" ;;
esac
case "$endpoint" in
    http://?* | https://?*) endpoint=${endpoint%/} ;;
    *) die "--endpoint $endpoint: an address that starts with https:// or http:// is expected" ;;
esac
command -v curl >/dev/null || die "curl is needed and was not found"
command -v sha256sum >/dev/null || command -v shasum >/dev/null || die "sha256sum (or shasum) is needed and was not found"
case "${HF_TOKEN:-}" in
    *[!A-Za-z0-9_.-]*) die "HF_TOKEN holds characters that no token has" ;;
esac
[ -n "$out" ] || out="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/models/${model##*/}"
out=$(expanded "$out")
[ -d "$out" ] || trap 'rmdir "$out" 2>/dev/null || true' EXIT
mkdir -p "$out" || die "cannot create $out"
[ -w "$out" ] || die "cannot write to $out"

trap interrupted INT TERM HUP
for name in "${FILES[@]}"; do fetch "$name"; done
say "$repository is in $out"
