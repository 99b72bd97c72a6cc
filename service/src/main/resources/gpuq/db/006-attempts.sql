CREATE TABLE IF NOT EXISTS attempts (
  job_id VARCHAR(36) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  attempt INT NOT NULL,
  node_id INT,
  started_at BIGINT,
  ended_at BIGINT NOT NULL,
  reason VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  detail VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  settled INT NOT NULL,
  PRIMARY KEY (job_id, attempt),
  KEY attempts_unsettled_on (node_id, settled)
)
