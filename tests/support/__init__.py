"""What several tests share: projects, servers, compilers made wrong on purpose."""
