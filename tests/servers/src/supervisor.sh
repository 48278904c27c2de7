# Watches over one server: runs what the lines on stdin say, and when stdin ends, because the process that wrote them
# ended, kills the server and removes its folder. Answers each line with one line.
#
# Used as `sh -c <this> supervisor <folder for the server's folder>`.

# Nothing must keep this from clearing up. Whoever reads the answers may be gone (PIPE). And when the process that started
# this ends while the server is stopped, the system sends HUP to both, as to jobs that a terminal left behind.
trap '' PIPE HUP

folder=$(mktemp -d "$1/runner-test-server.XXXXXX") || exit 1
mkdir "$folder/data" || exit 1
log=$folder/server.log
server=

# All processes of the server. Those of PostgreSQL live on for a while when their parent is killed; what they still have
# in common is the folder they work in.
pids() {
    if [ -d /proc/self ]; then
        for entry in /proc/[0-9]*; do
            if [ "$entry/cwd" -ef "$folder/data" ]; then echo "${entry#/proc/}"; fi
        done
    elif [ -n "$server" ]; then
        ps -A -o pid= -o ppid= | awk -v server="$server" '$1 == server || $2 == server { print $1 }'
    fi
}

kill_server() {
    if [ -n "$server" ]; then
        # A stopped server starts no new processes while the present ones are listed.
        kill -STOP "$server" 2>/dev/null
        kill -KILL $(pids) "$server" 2>/dev/null
        wait "$server" 2>/dev/null
        server=
    fi
    while rest=$(pids) && [ -n "$rest" ]; do
        kill -KILL $rest 2>/dev/null
        sleep 0.02
    done
}

clear_up() {
    trap '' INT TERM
    # Before all else: whoever works in the server's folder is killed.
    cd /
    kill_server
    rm -rf "$folder"
}
trap 'clear_up; exit 1' INT TERM

echo "$folder"
while IFS= read -r line; do
    case $line in
    "run "*)
        (eval "${line#run }") </dev/null >>"$log" 2>&1
        echo "$?"
        ;;
    "start "*)
        kill_server
        # The server is in its folder from its first moment on.
        cd "$folder/data"
        (eval "exec ${line#start }") </dev/null >>"$log" 2>&1 &
        server=$!
        cd /
        echo "$server"
        ;;
    "pids") echo $(pids) ;;
    "kill")
        kill_server
        echo "killed"
        ;;
    esac
done
clear_up
