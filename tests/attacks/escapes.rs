//! Reaching for what lies outside of the sandbox.

use policy_components::Component;
use policy_components::Function;

use crate::attack::Attack;

pub(crate) fn all() -> Vec<Attack> {
    let importing = |interface: &str| Component::gate().import(interface, "handle: func();", "").bytes();
    // A list of pairs of texts is a list of twice as many texts.
    let variables = Component::gate()
        .import("wasi:cli/environment@0.2.0", "get-environment: func() -> list<tuple<string, string>>;", "(param i32)")
        .body(
            Function::Review,
            "(local.set $at (call $allocate (i32.const 8)))
            (call $get-environment (local.get $at))
            (if (i32.load offset=4 (local.get $at)) (then unreachable))",
        );
    let exit = Component::gate()
        .import("wasi:cli/exit@0.2.0", "exit: func(status: result);", "(param i32)")
        .body(Function::Review, "(call $exit (i32.const 0))");
    vec![
        Attack::with(
            "HTTP through WASI",
            importing("wasi:http/outgoing-handler@0.2.0"),
            &["plugin-import"],
            "wasi:http",
        ),
        Attack::with("a key-value store", importing("wasi:keyvalue/store@0.2.0"), &["plugin-import"], "wasi:keyvalue"),
        Attack::with("another component", importing("acme:net/socket@1.0.0"), &["plugin-import"], "acme:net/socket"),
        Attack::with(
            "the files of the project, without a grant",
            importing("runner:policy/files@0.1.2"),
            &["plugin-grant"],
            "",
        ),
        Attack::with(
            "facts of the database, without a grant",
            importing("runner:policy/facts@0.1.2"),
            &["plugin-grant"],
            "",
        ),
        Attack::with("an address of the network", lookup().bytes(), &[], "").harmless(""),
        Attack::with("variables without a grant", variables.bytes(), &[], "").harmless(""),
        Attack::with("to leave with success instead of an answer", exit.bytes(), &["plugin-trap"], ""),
        Attack::with(
            "threads that share memory",
            Component::gate()
                .fields("(memory $shared 1 1 shared)")
                .body(
                    Function::Review,
                    "(drop (memory.atomic.wait32 $shared (i32.const 0) (i32.const 0) (i64.const -1)))",
                )
                .bytes(),
            &["plugin-not-a-component"],
            "",
        ),
        Attack::with(
            "a second say about the environment",
            Component::environment().bytes(),
            &["plugin-second-environment"],
            "`environment-hierarchy` has already",
        ),
    ]
}

/// The cases in the order of `wasi:sockets/network@0.2.0`.
const NETWORK: &str = "resource network; enum error-code { unknown, access-denied, not-supported, invalid-argument,
    out-of-memory, timeout, concurrency-conflict, not-in-progress, would-block, invalid-state, new-socket-limit,
    address-not-bindable, address-in-use, remote-unreachable, connection-refused, connection-reset, connection-aborted,
    datagram-too-large, name-unresolvable, temporary-resolver-failure, permanent-resolver-failure }";

/// Denies if it may look up an address on the network.
fn lookup() -> Component {
    Component::gate()
        .types("wasi:sockets/network@0.2.0", NETWORK)
        .import(
            "wasi:sockets/instance-network@0.2.0",
            "instance-network: func() -> network; use network.{network};",
            "(result i32)",
        )
        .import(
            "wasi:sockets/ip-name-lookup@0.2.0",
            "resolve-addresses: func(network: borrow<network>, name: string) -> result<resolve-address-stream, error-code>;
            use network.{network, error-code}; resource resolve-address-stream;",
            "(param i32 i32 i32 i32)",
        )
        .body(
            Function::Review,
            "(local.set $at (call $allocate (i32.const 8)))
            (call $resolve-addresses (call $instance-network) (text \"localhost\") (local.get $at))
            (if (i32.eqz (i32.load8_u (local.get $at))) (then unreachable))",
        )
}
