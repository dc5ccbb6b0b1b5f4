-- The rows of the recordings copy-all-types and replicate-all-types, but for three numbers: PyAirbyte's
-- columns have no place for a BIGINT UNSIGNED beyond that of BIGINT, nor for a number beyond 29 digits.
insert into alltypes (id, ti, tib, tu, si, mi, i, iu, bu, zf, f, d, dec1, b1, b10, b64, dt, dtm, dtm6, ts, ts6, tm,
  tm6, y, c, vc, vl, vu16, vg, vbin, bi, vb, tx, tl, bl, mt, en, st, enl, js, gp, geo, vec, uid)
values (1, -128, 1, 255, -32768, -8388608, -2147483648, 4294967295, 9223372036854775807, 42, 1.5, 0.1,
  -12345678901234567890.0123456789, b'1', b'1000000001', x'8000000000000001', '2024-02-29', '2024-02-29 23:59:59',
  '2024-02-29 23:59:59.123456', '2024-02-29 23:59:59', '2024-02-29 23:59:59.5', '-838:59:59', '12:00:00.5', 2155,
  'ab', 'héllo', 'héllo', 'héllo', '中文', 'Z', x'0102', x'00ff', 'té', 'é', x'00ff80', 'm', 'b,c', 'z,x', 'é',
  '{"n": 12345678901234567890, "b":null, "a":[1,2.5,"x"]}',
  x'000000000101000000000000000000f03f0000000000000040',
  x'0000000001020000000200000000000000000000000000000000000000000000000000f03f000000000000f03f',
  '[1, 2, 3.5]', x'000102030405060708090a0b0c0d0e0f');
insert into alltypes (id) values (2);
insert into alltypes (id, tib, f, d, b1, vc, en, st, js) values (3, 2, 3.4e15, 1e20, b'0', '', 'a', '', '[]');
insert into alltypes (id, f, d, y, c, bi, vb, js) values (4, 0, 0.00001, 0, '', '', '', '"str"');
insert into alltypes (id, f, d, js) values (5, 16777216, 123456789.12345679, '1.0');
insert into alltypes (id, vc, tx, js) values (6, 'line\nbreak "quoted" ', '😀 emoji', '{"ké": "😀"}');
insert into alltypes (id, dt, dtm, ts, tm, y, en)
values (9, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '-00:00:01', 0, '');
insert into alltypes (id, dt, dtm) values (10, '2024-00-15', '2024-02-00 01:02:03');
