# The notebooks in the browser, where there is no Linux or no Python 3.9-3.11, and on Binder:
#   docker build -t d2l_lrsched .
#   docker run -p 127.0.0.1:8888:8888 d2l_lrsched

# For other processors than x86_64 MXNet's package asks for libraries that Debian does not have.
# hadolint ignore=DL3029
FROM --platform=linux/amd64 python:3.11-slim-bookworm

# All that make would get as root. Debian keeps one version of a package, so none is pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
       dataset-fashion-mnist libgomp1 libquadmath0 make \
    && rm -rf /var/lib/apt/lists/*

# Binder names the user, and wants the checkout in a home that is his.
ARG NB_USER=student
ARG NB_UID=1000
ENV HOME=/home/${NB_USER}
RUN useradd --create-home --uid "${NB_UID}" "${NB_USER}"
WORKDIR ${HOME}
COPY --chown=${NB_UID} . .
USER ${NB_USER}
RUN PIP_NO_CACHE_DIR=1 make .venv/.notebooks data

# One thread, as with `make notebooks`: the stored results' bits depend on it.
ENV OMP_NUM_THREADS=1 PATH=${HOME}/.venv/bin:${PATH}
EXPOSE 8888
# No ENTRYPOINT: Binder starts Jupyter with arguments of its own.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "--LabApp.default_url=/lab/tree/notebooks"]
