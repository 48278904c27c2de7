//! SHA-256 in SQL, for scripts that `sqlite3` runs: SQLite has no function for it.
//!
//! The message is the encoding of a ledger row as [`crate::ledger`] describes it, in hexadecimal digits. It is cut into
//! pieces, because reaching into a long text takes time in proportion to the place, and the pieces into words of 32 bits.
//! One recursive query takes 65 steps a block: 64 rounds, and one that adds up and fetches the next 16 words.

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
const CONSTANTS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];
/// The same of the square roots of the first eight.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const MASK: u32 = u32::MAX;
/// Hexadecimal digits of a piece.
const PIECE: usize = 4096;
/// A word has so many of them.
const WORD: usize = 8;
const STATE: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// What fills the tables of [`views`] from the one row in `runner_row`; the hash is then in `runner_sha256`. Each is a
/// statement for the body of a trigger.
pub(super) const STEPS: &str = "  DELETE FROM runner_piece;\n  \
    INSERT INTO runner_piece SELECT number, digits FROM runner_pieces;\n  \
    DELETE FROM runner_word;\n  \
    INSERT INTO runner_word SELECT number, value FROM runner_words;\n";

/// Temporary tables and views that hash these columns of `runner_row`.
pub(super) fn views(columns: &[&str]) -> String {
    let constants: Vec<String> =
        CONSTANTS.iter().enumerate().map(|(round, constant)| format!("({round}, {constant})")).collect();
    format!(
        "CREATE TEMP TABLE runner_constant (round INTEGER PRIMARY KEY, value INTEGER NOT NULL);\n\
         INSERT INTO runner_constant VALUES {};\n\
         CREATE TEMP TABLE runner_piece (number INTEGER PRIMARY KEY, digits BLOB NOT NULL);\n\
         CREATE TEMP TABLE runner_word (number INTEGER PRIMARY KEY, value INTEGER NOT NULL);\n\
         {}\n{}\n{}",
        constants.join(", "),
        pieces(columns),
        words(),
        rounds()
    )
}

fn pieces(columns: &[&str]) -> String {
    let domain: String = "runner-ledger/1".bytes().map(|byte| format!("{byte:02X}")).collect();
    let part = |column: &&str| {
        format!(
            "    || CASE WHEN {column} IS NULL THEN '00' \
             ELSE '01' || printf('%016X', length(CAST({column} AS BLOB))) || hex({column}) END"
        )
    };
    let parts: Vec<String> = columns.iter().map(part).collect();
    format!(
        "CREATE TEMP VIEW runner_pieces AS WITH RECURSIVE\n  \
           row (digits) AS (SELECT '{domain}'\n{}\n    FROM runner_row),\n  \
           message (digits) AS (SELECT CAST(digits || '80'\n    \
             || substr(hex(zeroblob(64)), 1, (128 - (length(digits) + 18) % 128) % 128)\n    \
             || printf('%016X', length(digits) * 4) AS BLOB) FROM row),\n  \
           piece (number, count) AS (SELECT 0, (length(digits) + {last}) / {PIECE} FROM message\n    \
             UNION ALL SELECT number + 1, count FROM piece WHERE number + 1 < count)\n  \
           SELECT number, substr(digits, number * {PIECE} + 1, {PIECE}) AS digits FROM message CROSS JOIN piece;",
        parts.join("\n"),
        last = PIECE - 1,
    )
}

fn words() -> String {
    let digit = |index: usize| {
        format!(
            "(instr('0123456789ABCDEF', CAST(substr(digits, place * {WORD} + {}, 1) AS TEXT)) - 1 << {})",
            index + 1,
            4 * (WORD - 1 - index)
        )
    };
    let value: Vec<String> = (0..WORD).map(digit).collect();
    let places = PIECE / WORD;
    format!(
        "CREATE TEMP VIEW runner_words AS WITH RECURSIVE\n  \
           place (place) AS (SELECT 0 UNION ALL SELECT place + 1 FROM place WHERE place + 1 < {places})\n  \
           SELECT number * {places} + place AS number,\n    {} AS value\n  \
           FROM runner_piece CROSS JOIN place WHERE place * {WORD} < length(digits);",
        value.join("\n    + ")
    )
}

// All operators on bits bind alike in SQLite, from left to right, and `+` binds closer.

fn rotated(word: &str, by: u32) -> String {
    format!("((({word} | ({word} << 32)) >> {by}) & {MASK})")
}

/// Exclusive or of three, which SQLite cannot say: their sum without twice what at least two of them have.
fn odd(one: &str, two: &str, three: &str) -> String {
    format!("({one} + {two} + {three} - 2 * (({one} & {two}) | ({one} & {three}) | ({two} & {three})))")
}

fn rounds() -> String {
    let sum = |word: &str, by: [u32; 3]| odd(&rotated(word, by[0]), &rotated(word, by[1]), &rotated(word, by[2]));
    let expanded = |word: &str, by: [u32; 2], shift: u32| {
        odd(&rotated(word, by[0]), &rotated(word, by[1]), &format!("({word} >> {shift})"))
    };
    let first = format!(
        "h + {} + ((e & f) | (~e & g)) + (SELECT value FROM runner_constant WHERE round = step % 65) + w0",
        sum("e", [6, 11, 25])
    );
    let second = format!("{} + ((a & b) | (a & c) | (b & c))", sum("a", [2, 13, 22]));
    let next = [
        format!("{first} + {second} & {MASK}"),
        "a".to_owned(),
        "b".to_owned(),
        "c".to_owned(),
        format!("d + {first} & {MASK}"),
        "e".to_owned(),
        "f".to_owned(),
        "g".to_owned(),
    ];
    let added = |state: &str| format!("{state}0 + {state} & {MASK}");
    let mut columns = vec!["step".to_owned()];
    let mut start = vec!["0".to_owned()];
    let mut step = vec!["step + 1".to_owned()];
    for (index, state) in STATE.iter().enumerate() {
        columns.push(format!("{state}0"));
        start.push(INITIAL[index].to_string());
        step.push(format!("CASE step % 65 WHEN 64 THEN {} ELSE {state}0 END", added(state)));
    }
    for (index, state) in STATE.iter().enumerate() {
        columns.push((*state).to_owned());
        start.push(INITIAL[index].to_string());
        step.push(format!("CASE step % 65 WHEN 64 THEN {} ELSE {} END", added(state), next[index]));
    }
    for index in 0..16 {
        columns.push(format!("w{index}"));
        start.push(format!("(SELECT value FROM runner_word WHERE number = {index})"));
        let following = match index {
            15 => format!("{} + w9 + {} + w0 & {MASK}", expanded("w14", [17, 19], 10), expanded("w1", [7, 18], 3)),
            _ => format!("w{}", index + 1),
        };
        let fetched = format!("(SELECT value FROM runner_word WHERE number = (step / 65 + 1) * 16 + {index})");
        step.push(format!("CASE step % 65 WHEN 64 THEN {fetched} ELSE {following} END"));
    }
    let hash: Vec<String> = STATE.iter().map(|state| format!("printf('%08x', {state}0)")).collect();
    format!(
        "CREATE TEMP VIEW runner_sha256 AS WITH RECURSIVE\n  \
           steps ({}) AS (SELECT {}\n    UNION ALL SELECT\n    {}\n    \
             FROM steps WHERE step < (SELECT count(*) / 16 * 65 FROM runner_word))\n  \
           SELECT {} AS hash FROM steps WHERE step = (SELECT count(*) / 16 * 65 FROM runner_word);",
        columns.join(", "),
        start.join(", "),
        step.join(",\n    "),
        hash.join(" || ")
    )
}
