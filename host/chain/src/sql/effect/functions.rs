//! Functions that are known to change nothing, and words that look like calls before a parenthesis and aren't.
//!
//! A schema before a name, or a name that is not here, is a function of the database's own, which may do anything. That
//! somebody hides a function of a database behind another of the same name is not looked for.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::dialect::Dialect;

type Names = LazyLock<HashSet<&'static str>>;

/// Keywords that are reserved, and types, which are casts where they look like functions.
static NOT_CALLED: Names = LazyLock::new(|| {
    "all and any array as between by case check collate default distinct else except exists fetch from group having in
     intersect into is join lateral like limit not offset on or primary references returning row select set some table then
     to union unique using values when where with

     bigint bit bool boolean char character date dec decimal float int integer json nchar numeric real smallint text time
     timestamp varchar"
        .split_whitespace()
        .collect()
});

/// Those of PostgreSQL alone.
static NOT_CALLED_IN_POSTGRES: Names = LazyLock::new(|| {
    "binary ilike only operator overlaps

     box bytea inet int2 int4 int8 interval jsonb line lseg money name oid path point polygon precision regclass regtype
     timestamptz timetz uuid varbit varying"
        .split_whitespace()
        .collect()
});

/// Those of MySQL and MariaDB alone.
static NOT_CALLED_IN_MYSQL: Names = LazyLock::new(|| {
    "against binary div force ignore index interval key match mod of partition regexp rlike straight_join update use value
     xor

     blob datetime double enum longtext mediumint mediumtext nvarchar tinyint tinytext varbinary year"
        .split_whitespace()
        .collect()
});

/// Of all dialects, and a few that SQLite lacks, where nobody defines functions.
static COMMON: Names = LazyLock::new(|| {
    "abs acos asin atan atan2 avg cast ceil ceiling char_length character_length coalesce concat concat_ws cos cot
     count cume_dist current_date current_time current_timestamp current_user degrees dense_rank exp first_value
     floor format greatest lag last_value lead least left length ln log log10 lower lpad ltrim max md5 min mod now
     nth_value ntile nullif octet_length percent_rank pi position pow power radians rank repeat replace reverse right
     round row_number rpad rtrim session_user sign sin sqrt substr substring sum tan trim upper version"
        .split_whitespace()
        .collect()
});

static SQLITE: Names = LazyLock::new(|| {
    "acosh asinh atanh bm25 changes char concat cosh date datetime generate_series glob group_concat hex highlight if
     ifnull iif instr json json_array json_array_length json_each json_error_position json_extract json_group_array
     json_group_object json_insert json_object json_patch json_pretty json_quote json_remove json_replace json_set
     json_tree json_type json_valid jsonb jsonb_array jsonb_each jsonb_extract jsonb_group_array jsonb_group_object
     jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace jsonb_set jsonb_tree julianday
     last_insert_rowid like likelihood likely log2 match median percentile pragma_foreign_key_check
     pragma_foreign_key_list pragma_index_info pragma_index_list pragma_index_xinfo pragma_integrity_check
     pragma_table_info pragma_table_list pragma_table_xinfo printf quote raise random randomblob sinh snippet soundex
     sqlite_compileoption_get sqlite_compileoption_used sqlite_source_id sqlite_version strftime string_agg tanh time
     timediff total total_changes trunc typeof unhex unicode unistr unistr_quote unixepoch unlikely zeroblob"
        .split_whitespace()
        .collect()
});

static POSTGRES: Names = LazyLock::new(|| {
    "acosd acosh age any_value area array_agg array_append array_cat array_dims array_fill array_length array_lower
     array_ndims array_position array_positions array_prepend array_remove array_replace array_reverse array_sample
     array_shuffle array_sort array_to_json array_to_string array_to_tsvector array_upper ascii asind asinh atan2d
     atand atanh bit_and bit_count bit_length bit_or bit_xor bool_and bool_or bound_box btrim cardinality casefold
     cbrt center chr circle clock_timestamp col_description concat convert convert_from convert_to corr cosd cosh
     cotd covar_pop covar_samp crc32 current_catalog current_database current_query current_role current_schema
     current_schemas current_setting currval date_add date_bin date_part date_subtract date_trunc datemultirange
     daterange decode diameter difference digest div encode enum_first enum_last enum_range erf erfc every extract
     factorial family format_type gamma gcd gen_random_bytes gen_random_uuid gen_salt generate_series
     generate_subscripts get_bit get_byte get_current_ts_config grouping has_any_column_privilege
     has_column_privilege has_database_privilege has_function_privilege has_schema_privilege has_sequence_privilege
     has_table_privilege has_type_privilege height hmac host hostmask hstore inet_client_addr inet_client_port
     inet_merge inet_same_family inet_server_addr inet_server_port initcap int4multirange int4range int8multirange
     int8range isclosed isempty isfinite isopen json_agg json_array json_array_elements json_array_elements_text
     json_array_length json_arrayagg json_build_array json_build_object json_each json_each_text json_exists
     json_extract_path json_extract_path_text json_object json_object_agg json_object_keys json_objectagg
     json_populate_record json_populate_recordset json_query json_scalar json_serialize json_strip_nulls json_table
     json_to_record json_to_recordset json_typeof json_value jsonb_agg jsonb_array_elements jsonb_array_elements_text
     jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path
     jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists
     jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_populate_record
     jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record
     jsonb_to_recordset jsonb_typeof justify_days justify_hours justify_interval lastval lcm levenshtein lgamma
     localtime localtimestamp lower_inc lower_inf macaddr8_set7bit make_date make_interval make_time make_timestamp
     make_timestamptz makeaclitem masklen metaphone min_scale mode netmask network normalize num_nonnulls num_nulls
     nummultirange numnode numrange obj_description overlay parse_ident percentile_cont percentile_disc
     pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
     pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_backend_pid pg_client_encoding pg_collation_for
     pg_column_compression pg_column_size pg_conf_load_time pg_current_snapshot pg_current_wal_lsn pg_current_xact_id
     pg_database_size pg_describe_object pg_encoding_to_char pg_function_is_visible pg_get_constraintdef pg_get_expr
     pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result pg_get_functiondef
     pg_get_indexdef pg_get_keywords pg_get_partition_constraintdef pg_get_partkeydef pg_get_ruledef
     pg_get_serial_sequence pg_get_statisticsobjdef pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role
     pg_identify_object pg_indexes_size pg_input_is_valid pg_is_in_recovery pg_is_other_temp_schema pg_jit_available
     pg_last_wal_replay_lsn pg_my_temp_schema pg_notify pg_partition_ancestors pg_partition_root pg_partition_tree
     pg_postmaster_start_time pg_relation_filenode pg_relation_filepath pg_relation_size
     pg_safe_snapshot_blocking_pids pg_size_bytes pg_size_pretty pg_sleep pg_sleep_for pg_sleep_until
     pg_table_is_visible pg_table_size pg_tablespace_size pg_total_relation_size pg_trigger_depth
     pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
     pg_type_is_visible pg_typeof pg_wal_lsn_diff phraseto_tsquery plainto_tsquery quote_ident quote_literal
     quote_nullable radius random random_normal range_agg range_intersect_agg range_merge regexp_count regexp_instr
     regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr
     regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy row_security_active
     row_to_json scale set_bit set_byte set_masklen setseed setweight sha224 sha256 sha384 sha512 shobj_description
     show_trgm similarity sind sinh slope soundex split_part starts_with statement_timestamp stddev stddev_pop
     stddev_samp strict_word_similarity string_agg string_to_array string_to_table strip strpos tand tanh text
     timeofday timezone to_ascii to_bin to_char to_date to_hex to_json to_jsonb to_number to_oct to_regclass
     to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype
     to_timestamp to_tsquery to_tsvector transaction_timestamp translate trim_array trim_scale trunc ts_debug
     ts_delete ts_filter ts_headline ts_lexize ts_parse ts_rank ts_rank_cd tsmultirange tsquery_phrase tsrange
     tstzmultirange tstzrange tsvector_to_array txid_current txid_current_if_assigned txid_current_snapshot unaccent
     unicode_assigned unicode_version unistr unnest upper_inc upper_inf uuid_extract_timestamp uuid_extract_version
     uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuidv4 uuidv7 var_pop var_samp variance
     websearch_to_tsquery width width_bucket word_similarity xml_is_well_formed xmlagg xmlattributes xmlcomment
     xmlconcat xmlelement xmlexists xmlforest xmlparse xmlpi xmlroot xmlserialize xmltable xpath xpath_exists"
        .split_whitespace()
        .collect()
});

static MYSQL: Names = LazyLock::new(|| {
    "adddate addtime aes_decrypt aes_encrypt any_value ascii benchmark bin bin_to_uuid bit_and bit_count bit_length
     bit_or bit_xor char charset coercibility collation column_json compress connection_id conv convert convert_tz
     crc32 curdate current_role curtime database date date_add date_format date_sub datediff day dayname dayofmonth
     dayofweek dayofyear decode elt encode export_set extract extractvalue field find_in_set found_rows from_base64
     from_days from_unixtime geomfromtext get_format get_lock group_concat hex hour icu_version if ifnull inet6_aton
     inet6_ntoa inet_aton inet_ntoa insert instr interval is_free_lock is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6
     is_used_lock is_uuid isnull json_array json_array_append json_array_insert json_arrayagg json_compact
     json_contains json_contains_path json_depth json_detailed json_equals json_exists json_extract json_insert
     json_keys json_length json_loose json_merge json_merge_patch json_merge_preserve json_normalize json_object
     json_objectagg json_overlaps json_pretty json_query json_quote json_remove json_replace json_schema_valid
     json_search json_set json_storage_size json_table json_type json_unquote json_valid json_value last_day
     last_insert_id lastval lcase load_file localtime localtimestamp locate log2 make_set makedate maketime
     master_pos_wait member microsecond mid minute month monthname name_const natural_sort_key oct octet_length
     old_password ord password period_add period_diff point quarter quote rand random_bytes regexp_instr regexp_like
     regexp_replace regexp_substr release_all_locks release_lock row_count schema sec_to_time second sha sha1 sha2
     sleep soundex space st_asbinary st_asgeojson st_astext st_distance st_geomfromgeojson st_geomfromtext st_srid
     st_x st_y statement_digest std stddev stddev_pop stddev_samp str_to_date strcmp subdate substring_index subtime
     sysdate system_user time time_format time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_char
     to_days to_number to_seconds truncate ucase uncompress uncompressed_length unhex unix_timestamp updatexml user
     utc_date utc_time utc_timestamp uuid uuid_short uuid_to_bin uuid_v4 uuid_v7 uuidv4 uuidv7
     validate_password_strength values var_pop var_samp variance week weekday weekofyear weight_string year yearweek"
        .split_whitespace()
        .collect()
});

/// Whether a parenthesis after this bare word, in lower case, begins something other than the arguments of a function.
pub(super) fn is_never_called(word: &str, dialect: Dialect) -> bool {
    let is_own = match dialect {
        Dialect::Sqlite => false,
        Dialect::Postgres => NOT_CALLED_IN_POSTGRES.contains(word),
        Dialect::Mysql => NOT_CALLED_IN_MYSQL.contains(word),
    };
    is_own || NOT_CALLED.contains(word)
}

/// Whether a function of this name, in lower case, comes with the database and changes nothing.
pub(super) fn is_harmless(name: &str, dialect: Dialect) -> bool {
    let own = match dialect {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
        Dialect::Mysql => &MYSQL,
    };
    COMMON.contains(name) || own.contains(name)
}
