/* SPDX-License-Identifier: MIT
 *
 * usage: corpus_NOUN DIRECTORY
 *
 * Gives every file of DIRECTORY to the fuzzer it is linked with: as it is, cut
 * at every length, and with each byte changed. So the seeds are tried in every
 * build, also without libFuzzer.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

/* Larger seeds are run as they are alone: n variants of n bytes take n^2. */
#define VARIANT_MAX 4096u

/* Each input lies alone on the heap, so that a sanitizer sees the first byte
 * read behind it. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy) {
		fprintf(stderr, "corpus: out of memory\n");
		exit(1);
	}
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static size_t run_variants(uint8_t *data, size_t size)
{
	static const uint8_t flips[] = { 0x01, 0x10, 0x80, 0xff };
	size_t runs = 1;

	run(data, size);
	if (size > VARIANT_MAX)
		return runs;
	for (size_t len = 0; len < size; len++, runs++)
		run(data, len);
	for (size_t i = 0; i < size; i++)
		for (size_t k = 0; k < sizeof flips; k++, runs++) {
			data[i] ^= flips[k];
			run(data, size);
			data[i] ^= flips[k];
		}
	return runs;
}

/* 0 when `path` is no file, otherwise the number of runs. */
static size_t run_file(const char *path)
{
	FILE *file = fopen(path, "rbe");
	struct stat st;
	uint8_t *data = NULL;
	size_t runs = 0;

	if (!file || fstat(fileno(file), &st) != 0)
		goto failed;
	if (S_ISREG(st.st_mode)) {
		size_t size = (size_t)st.st_size;

		data = malloc(size ? size : 1);
		if (!data || fread(data, 1, size, file) != size)
			goto failed;
		runs = run_variants(data, size);
	}
	free(data);
	fclose(file);
	return runs;

failed:
	fprintf(stderr, "corpus: read %s: %s\n", path, strerror(errno));
	exit(1);
}

int main(int argc, char **argv)
{
	size_t files = 0, runs = 0;
	struct dirent *entry;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	DIR *dir = opendir(argv[1]);

	if (!dir) {
		fprintf(stderr, "corpus: open %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	while ((entry = readdir(dir)) != NULL) {
		char *path = NULL;

		if (asprintf(&path, "%s/%s", argv[1], entry->d_name) < 0) {
			closedir(dir);
			return 1;
		}
		size_t n = run_file(path);

		free(path);
		files += n > 0;
		runs += n;
	}
	closedir(dir);
	printf("%zu seeds, %zu inputs\n", files, runs);
	if (files == 0) {
		fprintf(stderr, "corpus: no seeds in %s: add some\n", argv[1]);
		return 1;
	}
	return 0;
}
